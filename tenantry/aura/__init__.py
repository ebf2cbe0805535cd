"""Neo4j Aura: the API v1 that makes instances, and the Query API that talks to one.

    with AuraClient(read_settings(None, os.environ)) as client:
        client.instances(client.settings.tenant_id)

`client` has every route; `judging`, `instances`, `readiness`, `presence` and `removing` are what the resources do with
them; `query` has the queries, and `connecting` leads from an app to its graph. Nothing here knows Pulumi.
"""
