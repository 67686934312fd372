"""A real S3 server for tests: OpenStack Swift with its S3 API, all of it in this one process; it checks every signature.

    /usr/bin/python3 s3_server.py DIRECTORY     an empty one, on a file system with extended attributes

Says 'listening on 127.0.0.1:PORT' when it does. Its one bucket is BUCKET, the keys are ACCESS_KEY and SECRET_KEY.
"""

import logging
import os
import pathlib
import sys

ACCESS_KEY, SECRET_KEY, BUCKET = "test:tester", "testing", "howdah"


class Cache:
    """What Swift keeps in memcached."""

    def __init__(self):
        self.values = {}

    def get(self, key, raise_on_error=False):
        return self.values.get(key)

    def set(self, key, value, **_):
        self.values[key] = value

    def incr(self, key, delta=1, **_):
        self.values[key] = self.values.get(key, 0) + delta
        return self.values[key]

    def delete(self, key, **_):
        self.values.pop(key, None)


def serve(directory):
    import eventlet
    import eventlet.wsgi
    eventlet.monkey_patch()
    from swift.common import utils
    utils.HASH_PATH_PREFIX = b"howdah"  # instead of /etc/swift/swift.conf
    from swift.account.server import AccountController
    from swift.common.middleware import tempauth
    from swift.common.middleware.s3api import s3api
    from swift.common.ring import RingBuilder
    from swift.container.server import ContainerController
    from swift.obj.server import ObjectController
    from swift.proxy.server import Application

    quiet = logging.getLogger("eventlet")
    quiet.addHandler(logging.NullHandler())
    (directory / "devices/one").mkdir(parents=True)
    conf = {"devices": str(directory / "devices"), "swift_dir": str(directory), "mount_check": "false", "workers": "0",
            "log_level": "CRITICAL", "account_autocreate": "true", "allow_account_management": "true",
            "object_post_as_copy": "false", "node_timeout": "30", "conn_timeout": "5", "recheck_container_existence": "0",
            "recheck_account_existence": "0"}
    sockets = {name: eventlet.listen(("127.0.0.1", 0)) for name in ("account", "container", "object", "proxy")}
    for name in ("account", "container", "object"):
        builder = RingBuilder(1, 1, 0)
        builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "device": "one",
                         "port": sockets[name].getsockname()[1]})
        builder.rebalance()
        builder.get_ring().save(str(directory / f"{name}.ring.gz"))

    proxy = Application(conf)
    keys = {f"user_{ACCESS_KEY.replace(':', '_')}": f"{SECRET_KEY} .admin"}
    checked = tempauth.filter_factory({**conf, **keys})(proxy)
    s3 = s3api.filter_factory({**conf, "auth_pipeline_check": "false", "s3_acl": "false"})(checked)
    cache = Cache()

    def front(environment, start_response):
        environment["swift.cache"] = cache
        return s3(environment, start_response)

    apps = {"account": AccountController(conf), "container": ContainerController(conf), "object": ObjectController(conf),
            "proxy": front}
    threads = [eventlet.spawn(eventlet.wsgi.server, sockets[name], app, quiet, log_output=False)
               for name, app in apps.items()]
    print(f"listening on 127.0.0.1:{sockets['proxy'].getsockname()[1]}", flush=True)
    threads[-1].wait()


if __name__ == "__main__":
    serve(pathlib.Path(sys.argv[1]))
