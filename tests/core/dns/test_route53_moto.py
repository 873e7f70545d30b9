"""Route 53 against moto's server, over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.dns.provider import TxtRecord
from core.dns.providers.route53 import KIND, Route53
from core.system.transport import HttpsTransport
from tests.support.dns_access import access

ONE = TxtRecord(name="_acme-challenge.example.com", value="one-" + "A" * 39)
TWO = TxtRecord(name="_acme-challenge.example.com", value="two-" + "B" * 39)
LONG = TxtRecord(name="_validation-persist.example.com", value="ca.example; accounturi=https://" + "x" * 300)
OTHERS = {
    "Name": "_acme-challenge.example.com.",
    "Type": "TXT",
    "TTL": 1234,
    "ResourceRecords": [{"Value": '"theirs" "too"'}],
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    # Here, because it takes as long to load as a hundred other tests.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_round_at_motos_server(endpoint: str) -> None:
    """Zones are listed, values are added beside others and removed, and in the end everything is as before (ST-20)."""
    import boto3

    client = boto3.client(
        "route53", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )
    for number, name in enumerate(("example.com", "other.example.net")):
        zone = client.create_hosted_zone(Name=name, CallerReference=str(number))["HostedZone"]
        if not number:
            id = zone["Id"]
    # Not CREATE: moto refuses any CREATE that it has carried out once before, also after the set was deleted.
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": OTHERS}]}
    client.change_resource_record_sets(HostedZoneId=id, ChangeBatch=batch)
    before = client.list_resource_record_sets(HostedZoneId=id)["ResourceRecordSets"]
    settings = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "endpoint": endpoint}
    transport = HttpsTransport(None, {})
    provider = Route53(access(KIND, transport, settings=settings, secrets={"secret_access_key": "secret"}))
    try:
        assert provider.zones() == ("example.com", "other.example.net")
        provider.change("example.com", add=[ONE, TWO, LONG])
        provider.change("example.com", add=[ONE])
        sets = client.list_resource_record_sets(HostedZoneId=id)["ResourceRecordSets"]
        texts = {
            each["Name"]: [value["Value"] for value in each["ResourceRecords"]]
            for each in sets
            if each["Type"] == "TXT"
        }
        assert texts[f"{ONE.name}."] == ['"theirs" "too"', f'"{ONE.value}"', f'"{TWO.value}"']
        assert texts[f"{LONG.name}."] == [f'"{LONG.value[:255]}" "{LONG.value[255:]}"']
        provider.change("example.com", remove=[ONE, LONG])
        provider.change("example.com", remove=[TWO, ONE])
        assert client.list_resource_record_sets(HostedZoneId=id)["ResourceRecordSets"] == before
    finally:
        provider.close()
        client.close()
