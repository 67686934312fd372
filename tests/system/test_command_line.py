"""The contract of the command line: what scripts may depend on."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import PROGRAM, Howdah, free_port


def howdah(*words, env=None):
    return subprocess.run([PROGRAM, *map(str, words)], text=True, timeout=120, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, **(env or {})})


class WithoutADaemon(unittest.TestCase):
    def test_usage_errors_exit_with_2(self):
        for words in ([], ["nonsense"], ["up"], ["run", "--security-group", "x"], ["serve", "--zone", "a"],
                      ["status", "-o", "yaml"]):
            self.assertEqual(howdah(*words).returncode, 2, words)

    def test_help_is_a_result(self):
        done = howdah("--help")
        self.assertEqual(done.returncode, 0)
        for command in ("serve", "shutdown", "env", "up", "down", "status", "psql", "run", "engine", "doctor"):
            self.assertIn(command, done.stdout)
        self.assertNotIn("gateway", re.findall(r"^  (\w+)", done.stdout, re.M))

    def test_a_missing_daemon_is_said_with_help(self):
        with tempfile.TemporaryDirectory() as home:
            for words in (["status"], ["env"], ["down", "x"], ["psql", "x"]):
                done = howdah("--home", home, *words)
                self.assertEqual(done.returncode, 1, words)
                self.assertIn("help:", done.stderr)
                self.assertEqual(done.stdout, "")

    def test_home_comes_from_the_environment(self):
        with tempfile.TemporaryDirectory() as home:
            done = howdah("status", env={"HOWDAH_HOME": home})
            self.assertIn(home, done.stderr)

    def test_version_in_both_forms(self):
        self.assertRegex(howdah("version").stdout, r"^howdah \d+\.\d+\.\d+\n$")
        self.assertIn("Version", json.loads(howdah("version", "-o", "json").stdout))

    def test_doctor_and_engines_work_without_a_daemon(self):
        with tempfile.TemporaryDirectory() as home:
            checks = json.loads(howdah("--home", home, "doctor", "-o", "json").stdout)["Checks"]
            self.assertTrue({"daemon", "home", "socket paths", "limits", "zones"} <= {c["Check"] for c in checks})
            engines = json.loads(howdah("--home", home, "engine", "list", "-o", "json").stdout)
            self.assertIn("Engines", engines)


class WithADaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)

    def test_env_is_shell_and_json(self):
        text = self.howdah.cli("env").stdout
        self.assertIn(f"export AWS_ENDPOINT_URL={self.howdah.url}\n", text)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
            self.assertRegex(text, rf"(?m)^export {name}=\S+$")

    def test_files_with_secrets_are_private(self):
        self.assertEqual((self.howdah.home / "credentials").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.howdah.home.stat().st_mode & 0o777, 0o700)

    def test_status_of_nothing(self):
        status = self.howdah.status()
        self.assertEqual(status["Instances"], [])
        self.assertEqual(status["Pid"], self.howdah.serve.pid)
        self.assertIn("no instances", self.howdah.cli("status").stdout)

    def test_what_is_not_there_exits_with_3(self):
        for words in (["down", "nothing"], ["psql", "nothing"],
                      ["run", "--security-group", "nothing", "--", "true"]):
            done = self.howdah.cli(*words, check=False)
            self.assertEqual(done.returncode, 3, f"{words}: {done.stderr}")
            self.assertIn("error:", done.stderr)

    def test_an_error_in_a_template_names_the_callers_file_and_place(self):
        template = self.howdah.base / "broken.yaml"
        template.write_text("Resources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties:\n"
                            "      CidrBlock: 10.9.0.0/16\n      Nonsense: 1\n")
        done = self.howdah.cli("up", template, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, re.escape(str(template)) + r":6:7")
        self.assertIn("Nonsense", done.stderr)

    def test_the_operator_api_needs_a_signature(self):
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST",
                               "-H", "X-Amz-Target: Howdah.Shutdown", self.howdah.url + "/"],
                              text=True, stdout=subprocess.PIPE, timeout=30) if _has_curl() else None
        if done:
            self.assertTrue(done.stdout.startswith("4"), done.stdout)


def _has_curl():
    return any((pathlib.Path(d) / "curl").exists() for d in os.environ["PATH"].split(":"))


class UpStartsADaemon(unittest.TestCase):
    def test_up_down_and_shutdown_from_nothing(self):
        """`up` finds no daemon, starts one that outlives it, and says nothing changed the second time."""
        world = Howdah()
        self.addCleanup(world.destroy)
        listen = {"HOWDAH_LISTEN": f"127.0.0.1:{free_port()}"}
        template = world.base / "network.yaml"
        template.write_text("Resources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties:\n"
                            f"      CidrBlock: 10.{world.octet}.0.0/16\nOutputs:\n  Id:\n    Value: !Ref Vpc\n")
        first = json.loads(world.cli("up", template, "-o", "json", env=listen).stdout)
        self.assertEqual((first["StackName"], first["StackStatus"], first["Changed"]),
                         ("network", "CREATE_COMPLETE", True))
        self.assertTrue(first["Outputs"]["Id"].startswith("vpc-"))
        again = world.cli("up", template, "-o", "json", env=listen)
        self.assertFalse(json.loads(again.stdout)["Changed"])
        self.assertIn("no changes", again.stderr)
        world.cli("down", "network")
        self.assertEqual(world.cli("down", "network", check=False).returncode, 3)
        world.cli("shutdown")
        self.assertEqual(world.processes.all(), [])


if __name__ == "__main__":
    unittest.main()
