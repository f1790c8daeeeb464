"""A bucket behind a server that speaks S3's protocol."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "nightshift"


@contextmanager
def started_bucket() -> Iterator[str]:
    """An empty bucket's URL, with the variables set that lead every client of this process to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    told = {
        "AWS_ACCESS_KEY_ID": "a key",
        "AWS_SECRET_ACCESS_KEY": "its secret",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in told.items():
                patch.setenv(name, value)
            client = boto3.client("s3", region_name=told["AWS_REGION"])
            client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": told["AWS_REGION"]})
            yield f"s3://{BUCKET}"
    finally:
        server.stop()
