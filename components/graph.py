"""A graph of an app, or of one of its users."""

import pulumi

from components.catalog import GraphRecords
from components.settings import AdoptedGraph
from providers.aura import AuraInstance, AuraReady
from tenantry.aura.query import home_database
from tenantry.registry import tokens
from tenantry.registry.models import DeclaredGraph


class AppGraph(pulumi.ComponentResource):
    """A Neo4j Aura instance, and the wait until it answers."""

    id: pulumi.Output[str]
    uri: pulumi.Output[str]
    username: pulumi.Output[str]
    password: pulumi.Output[str]
    status: pulumi.Output[str]
    """`ready` or `paused`, once it is either."""

    def __init__(
        self,
        declared: DeclaredGraph,
        *,
        project: str,
        adopted: AdoptedGraph | None,
        protect: bool,
        retain: bool,
        records: GraphRecords,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the graph.

        :param project: the Aura project that it is made in
        :param adopted: the instance that is to be taken over in place of a new one
        :param protect: the engine refuses to delete or replace the instance
        :param retain: without its declaration the instance stays in Aura
        :param records: beside which the graph is noted
        """
        name = declared.id
        super().__init__(tokens.APP_GRAPH, name, None, opts)
        graph = declared.graph
        adoption = (
            {
                "adoptInstanceId": adopted.instance,
                "adoptUsername": adopted.username,
                "adoptPassword": pulumi.Output.secret(adopted.password),
            }
            if adopted
            else {}
        )
        self.instance = AuraInstance(
            name,
            {
                "target": name,
                "name": declared.name,
                "type": graph.type,
                "cloud": graph.cloud,
                "region": graph.region,
                "memory": graph.memory,
                "version": graph.version,
                "tenantId": project,
                "snapshotBeforeDelete": graph.snapshot_before_delete,
                **adoption,
            },
            pulumi.ResourceOptions(
                parent=self,
                protect=protect,
                retain_on_delete=retain,
                # A successor has the same name, and would find its predecessor by it.
                delete_before_replace=True,
            ),
        )
        user = declared.user or ""
        noted = records.note_graph(
            name, user=user, graph=declared.name, instance=self.instance.id, parent=self
        )
        ready = AuraReady(
            name,
            {
                **records.whose,
                "user": user,
                "target": name,
                "instanceId": self.instance.id,
                "tenantId": project,
                "createdAt": self.instance.createdAt,
                "connectionUrl": self.instance.connectionUrl,
                "username": self.instance.username,
                "password": self.instance.password,
                "memory": graph.memory,
                "paused": graph.paused,
                "retries": records.retries,
            },
            # Its readiness goes with the instance. To delete it takes no call.
            pulumi.ResourceOptions(
                parent=self, deleted_with=self.instance, depends_on=[noted] if noted else []
            ),
        )
        self.id = self.instance.id
        self.uri = ready.uri
        self.username = self.instance.username
        self.password = pulumi.Output.secret(self.instance.password)
        self.status = ready.status
        self.register_outputs({})

    def connection(self) -> dict[str, pulumi.Output[str]]:
        """Give what a driver, or a query over HTTPS, connects with; all of it is secret."""
        return {
            "uri": pulumi.Output.secret(self.uri),
            "user": pulumi.Output.secret(self.username),
            "password": self.password,
            "database": pulumi.Output.secret(self.username.apply(home_database)),
        }
