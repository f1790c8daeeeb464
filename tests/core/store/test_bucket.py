"""A lake's files and pictures in a bucket, over S3's protocol."""

from collections.abc import Iterator

import boto3
import pytest
from buckets import BUCKET, started_bucket
from lakes import new_lake
from store_records import correction

from core.media import Blobs, blob_key
from core.schema import Correction, NightshiftError
from core.store import open_store

KEEPS_VERSIONS = "keeps-versions"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with started_bucket() as url:
        yield url


@pytest.fixture(scope="module")
def versioned(bucket: str) -> str:
    """A bucket beside it that keeps versions."""
    client = boto3.client("s3", region_name="eu-central-1")
    client.create_bucket(Bucket=KEEPS_VERSIONS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=KEEPS_VERSIONS, VersioningConfiguration={"Status": "Enabled"})
    return bucket.replace(BUCKET, KEEPS_VERSIONS)


def objects(prefix: str) -> list[str]:
    found = boto3.client("s3", region_name="eu-central-1").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def test_a_lake_keeps_its_rows_in_a_bucket(postgres: str, bucket: str) -> None:
    url = new_lake(postgres, f"{bucket}/lake")
    store = open_store(url)
    records = [correction(str(number)) for number in range(1_200)]
    assert store.add(*records) == len(records)
    small = correction("small")
    store.add(small)
    assert store.tend()["rows_flushed"] >= 1
    assert objects("lake/")
    again = open_store(url)
    assert again.find(Correction) == store.find(Correction) == [*records, small]
    assert again.add(records[0], correction("new")) == 1


@pytest.mark.parametrize("kind", ["bucket", "versioned"])
def test_what_is_erased_leaves_the_bucket(postgres: str, kind: str, request: pytest.FixtureRequest) -> None:
    store = open_store(new_lake(postgres, f"{request.getfixturevalue(kind)}/erased"))
    gone, stays = [correction("secret-name") for _ in range(1_100)], correction("stays")
    store.add(*gone, stays)
    store.erase({Correction: {"example": ["secret-name"]}})
    assert store.remains((), ["secret-name"])
    assert store.compact()
    assert store.remains((), ["secret-name"]) == []
    assert store.find(Correction) == [stays]


def test_pictures_lie_in_a_bucket_and_go_from_it(bucket: str) -> None:
    blobs = Blobs(f"{bucket}/pictures")
    data = b"a picture"
    key = blob_key(data, "png")
    assert not blobs.exists(key)
    blobs.put(key, data)
    blobs.put(key, data)
    assert (blobs.get(key), blobs.size(key), objects("pictures/")) == (data, len(data), [f"pictures/{key}"])
    blobs.delete(key)
    blobs.delete(key)
    assert not blobs.exists(key)
    with pytest.raises(NightshiftError, match="there is no blob"):
        blobs.get(key)


def test_no_version_of_a_picture_stays_in_a_bucket_that_keeps_versions(versioned: str) -> None:
    blobs = Blobs(f"{versioned}/pictures")
    data, other = b"a picture", b"another"
    key, stays = blob_key(data, "png"), blob_key(other, "png")
    client = boto3.client("s3", region_name="eu-central-1")
    blobs.put(stays, other)
    for content in (b"damaged", data):
        client.put_object(Bucket=KEEPS_VERSIONS, Key=f"pictures/{key}", Body=content)
    client.delete_object(Bucket=KEEPS_VERSIONS, Key=f"pictures/{key}")
    blobs.put(key, data)
    assert blobs.versions_kept(key) == 3
    blobs.delete(key)
    blobs.delete(key)
    assert (blobs.exists(key), blobs.versions_kept(key)) == (False, 0)
    left = client.list_object_versions(Bucket=KEEPS_VERSIONS, Prefix="pictures/")
    assert [each["Key"] for each in left["Versions"]] == [f"pictures/{stays}"] and "DeleteMarkers" not in left


def test_more_versions_than_fit_a_page_are_found(versioned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = Blobs(f"{versioned}/many")
    key = blob_key(b"a picture", "png")
    client = boto3.client("s3", region_name="eu-central-1")
    for number in range(5):
        client.put_object(Bucket=KEEPS_VERSIONS, Key=f"many/{key}", Body=bytes([number]))
    ask = blobs._fs.call_s3
    monkeypatch.setattr(blobs._fs, "call_s3", lambda *asked, **told: ask(*asked, {"MaxKeys": 2}, **told))
    assert blobs.versions_kept(key) == 4


def test_a_bucket_that_is_not_there_or_cannot_be_reached_is_said_in_a_line(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = blob_key(b"a picture", "png")
    with pytest.raises(NightshiftError, match="cannot write to the blob store s3://nobodys"):
        Blobs("s3://nobodys/pictures").put(key, b"a picture")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    unreachable = Blobs(f"{bucket}/elsewhere")
    unreachable._fs.clear_instance_cache()
    for ask in (lambda: Blobs(f"{bucket}/elsewhere").get(key), lambda: Blobs(f"{bucket}/elsewhere").exists(key)):
        with pytest.raises(NightshiftError, match=r"s3://nightshift/elsewhere.*Could not connect"):
            ask()
