"""Security groups decide: who is in a group comes in, nobody else does, and a change counts within a second."""

import os
import subprocess
import unittest

from harness import PROGRAM, PYTHON, Howdah, eventually, probe

WITHIN = 1.0


class Admission(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.network = cls.howdah.network()
        cls.other = cls.howdah.ec2.create_security_group(
            VpcId=cls.network["vpc"], GroupName="other", Description="others")["GroupId"]
        cls.howdah.create_instance("db-1", cls.network)
        instance = cls.howdah.await_available("db-1")
        cls.address, cls.port = instance["Endpoint"]["Address"], instance["Endpoint"]["Port"]

    def task(self, group, *command, check=True):
        return self.howdah.cli("run", "--security-group", group, "--", *command, check=check,
                               env={"PGPASSWORD": "a-password-0", "PGUSER": "dbadmin", "PGDATABASE": "appdb"})

    def test_a_task_in_the_group_comes_in(self):
        for group in ("app", self.network["app"]):
            self.assertEqual(self.task(group, "psql", "-At", "-c", "select 7").stdout.strip(), "7")

    def test_a_task_in_another_group_is_refused_and_told(self):
        done = self.task("other", "psql", "-At", "-c", "select 7", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("security", done.stderr)

    def test_this_host_is_refused_and_counted(self):
        before = self.howdah.status()["Instances"][0]["RefusedConnections"] or 0
        self.assertFalse(probe(self.address, self.port))
        eventually(lambda: (self.howdah.status()["Instances"][0]["RefusedConnections"] or 0) > before, 10,
                   "the refusal is counted")

    def test_a_rule_counts_within_a_second_of_its_making_and_of_its_end(self):
        rule = [self.howdah.host_rule()]
        for _ in range(3):
            self.howdah.ec2.authorize_security_group_ingress(GroupId=self.network["db"], IpPermissions=rule)
            eventually(lambda: probe(self.address, self.port), WITHIN, "admission")
            self.howdah.ec2.revoke_security_group_ingress(GroupId=self.network["db"], IpPermissions=rule)
            eventually(lambda: not probe(self.address, self.port), WITHIN, "refusal")

    def test_the_exit_code_and_the_interface_of_a_task(self):
        self.assertEqual(self.task("app", "sh", "-c", "exit 42", check=False).returncode, 42)
        self.assertEqual(self.task("app", "no-such-program", check=False).returncode, 127)
        self.assertEqual(self.interfaces(), [])

    def test_a_terminated_task_gives_its_interface_back(self):
        with self.open_task() as task:
            eventually(self.interfaces, 10, "the task has an interface")
            task.terminate()
            self.assertEqual(task.wait(15), 128 + 15)
        self.assertEqual(self.interfaces(), [])

    def open_task(self):
        return subprocess.Popen([PROGRAM, "--home", self.howdah.home, "run", "--security-group", "app", "--",
                                 "sleep", "60"])

    def interfaces(self):
        filters = [{"Name": "group-id", "Values": [self.network["app"]]}]
        return self.howdah.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_a_stranger_who_binds_the_interfaces_address_is_no_member(self):
        with self.open_task() as task:
            interface = eventually(self.interfaces, 10, "the task has an interface")[0]
            source = "127." + interface["PrivateIpAddress"].split(".", 1)[1]
            script = (f"import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})\n"
                      f"import socket\n"
                      f"s = socket.socket(); s.settimeout(5); s.bind(({source!r}, 0)); s.connect(({self.address!r}, {self.port}))\n"
                      f"try:\n    s.sendall(b'\\0\\0\\0\\x08\\x04\\xd2\\x16\\x2f'); print(s.recv(1) in (b'S', b'N'))\n"
                      f"except OSError:\n    print(False)\n")
            answers = {}
            for user in ("root", "nobody"):
                answers[user] = subprocess.run([PYTHON, "-c", script], user=user, text=True, timeout=30, cwd="/",
                                               stdout=subprocess.PIPE).stdout.strip()
            task.terminate()
            task.wait(15)
        self.assertEqual(answers, {"root": "True", "nobody": "False"})


if __name__ == "__main__":
    unittest.main()
