"""Neo4j Aura: the API v1 that makes instances, and the Query API that talks to one.

    with AuraClient(read_settings(None, os.environ)) as client:
        client.instances(client.settings.tenant_id)

`client` has every route, `instances` and `readiness` what the resources do with them, `query` the queries.
Nothing here knows Pulumi.
"""
