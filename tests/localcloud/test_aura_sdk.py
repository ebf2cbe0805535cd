"""The Python SDK for Aura's API, unmodified, against the local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aura_python_sdk as sdk
import pytest

from tests.localcloud_fixture import local_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = (
    "--aura-create-seconds",
    "0.1",
    "--aura-change-seconds",
    "0.1",
    "--aura-lag-seconds",
    "0.1",
)
INTERVAL = 0.05
SECONDS = 30


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sdk.AuraClient]:
    with (
        local_cloud(tmp_path_factory.mktemp("aura-sdk") / "data", *QUICK) as cloud,
        sdk.AuraClient(
            client_id=cloud.aura_client_id,
            client_secret=cloud.aura_client_secret,
            base_url=cloud.aura_base_url.removesuffix("/v1"),
            allow_insecure_base_url=True,
        ) as client,
    ):
        yield client


@pytest.fixture
def instance(client: sdk.AuraClient) -> Iterator[sdk.CreatedInstance]:
    [tenant] = client.tenants.list()
    made = client.instances.create(
        sdk.InstanceConfig(
            name="graph",
            tenant_id=tenant.id,
            cloud_provider=sdk.CloudProvider.GCP,
            region="europe-west1",
            type=sdk.InstanceType.PROFESSIONAL_DB,
            version="5",
            memory="2GB",
        )
    )
    wait(client, made.id, sdk.InstanceStatus.RUNNING)
    yield made
    assert client.instances.delete(made.id).status == sdk.InstanceStatus.DESTROYING
    with pytest.raises(sdk.NotFoundError):
        look_until_gone(client, made.id)


def look_until_gone(client: sdk.AuraClient, instance_id: str) -> None:
    while client.instances.get(instance_id).status == sdk.InstanceStatus.DESTROYING:
        pass


def wait(client: sdk.AuraClient, instance_id: str, status: sdk.InstanceStatus) -> sdk.Instance:
    return client.instances.wait_for_status(
        instance_id, status=status, interval=INTERVAL, timeout=SECONDS
    )


def test_an_instance_is_made_paused_resumed_and_resized(
    client: sdk.AuraClient, instance: sdk.CreatedInstance
) -> None:
    assert instance.password
    assert instance.id in {each.id for each in client.instances.list()}
    client.instances.pause(instance.id)
    assert wait(client, instance.id, sdk.InstanceStatus.PAUSED).memory is None
    client.instances.resume(instance.id)
    assert wait(client, instance.id, sdk.InstanceStatus.RUNNING).memory == "2GB"
    changed = client.instances.update(instance.id, name="renamed", memory="4GB")
    assert changed.name == "renamed"
    while client.instances.get(instance.id).memory != "4GB":
        pass
    assert wait(client, instance.id, sdk.InstanceStatus.RUNNING).storage == "8GB"


def test_a_snapshot_is_made_and_restored(
    client: sdk.AuraClient, instance: sdk.CreatedInstance
) -> None:
    # Aura takes one by itself at first, and refuses another meanwhile.
    while any(
        each.status != sdk.SnapshotStatus.COMPLETED for each in client.snapshots.list(instance.id)
    ):
        pass
    started = client.snapshots.create(instance.id)
    snapshot = client.snapshots.wait_for_completion(
        instance.id, started.snapshot_id, interval=INTERVAL, timeout=SECONDS
    )
    assert snapshot.snapshot_id in {each.snapshot_id for each in client.snapshots.list(instance.id)}
    restoring = client.snapshots.restore(instance.id, snapshot.snapshot_id)
    assert restoring.status == sdk.InstanceStatus.RESTORING
    wait(client, instance.id, sdk.InstanceStatus.RUNNING)


def test_it_is_told_what_is_wrong(client: sdk.AuraClient) -> None:
    with pytest.raises(sdk.NotFoundError):
        client.instances.get("00000000")
