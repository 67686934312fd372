"""Terraform with the AWS provider 5.100 against one daemon: a working directory, and what can be done in it.

The provider comes from a directory of plugins (HOWDAH_TERRAFORM_PLUGINS, else /opt/tf-plugins) and never from the
network; Unavailable() says why there is no Terraform here, where there is none.
"""

import json
import os
import pathlib
import shutil
import subprocess

from harness import ROOT

PLUGINS = pathlib.Path(os.environ.get("HOWDAH_TERRAFORM_PLUGINS", "/opt/tf-plugins"))
PROVIDER = PLUGINS / "registry.terraform.io/hashicorp/aws"
EXAMPLE = ROOT / "examples/prod-e/main.tf"


def unavailable():
    """Why Terraform cannot be run here, or None."""
    if not shutil.which("terraform"):
        return "terraform is not installed"
    if not PROVIDER.is_dir():
        return f"no AWS provider below {PLUGINS}; set HOWDAH_TERRAFORM_PLUGINS to a filesystem mirror that has it"
    return None


class Terraform:
    """A directory with configuration files and their state."""

    def __init__(self, howdah, name, files):
        self._directory = howdah.base / name
        self._directory.mkdir()
        for file, text in files.items():
            (self._directory / file).write_text(text)
        settings = self._directory / "cli.tfrc"
        settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{PLUGINS}"\n  }}\n}}\n')
        self._environment = {**howdah.environment(), "TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1",
                             "CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true",
                             "TF_VAR_network": f"10.{howdah.octet}"}
        self.run("init", "-input=false")

    def write(self, file, text):
        (self._directory / file).write_text(text)

    def begin(self, *words, variables=None):
        """Starts a command and does not wait for it."""
        given = [f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
                 for name, value in (variables or {}).items()]
        return subprocess.Popen(["terraform", words[0], *given, *words[1:]], cwd=self._directory, text=True,
                                env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL)

    def run(self, *words, variables=None, codes=(0,), timeout=900):
        """A command to its end: (exit code, output)."""
        process = self.begin(*words, "-no-color", variables=variables)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"terraform {words[0]} did not end within {timeout} s\n{output}") from None
        assert process.returncode in codes, f"terraform {words[0]}: exit {process.returncode}\n{output}"
        return process.returncode, output

    def apply(self, **variables):
        return self.run("apply", "-auto-approve", "-input=false", "-parallelism=20", variables=variables)[1]

    def refused(self, **variables):
        """What an apply says that must fail."""
        return self._errors("apply", variables)

    def refused_to_destroy(self, **variables):
        return self._errors("destroy", variables)

    def _errors(self, command, variables):
        """On one line: Terraform breaks its messages."""
        _, output = self.run(command, "-auto-approve", "-input=false", "-parallelism=20", variables=variables, codes=(1,))
        return " ".join(line.strip("\u2502\u2577\u2575 ") for line in output.splitlines())

    def differences(self, **variables):
        """What a plan would do; empty when there is nothing to do."""
        code, output = self.run("plan", "-detailed-exitcode", "-input=false", variables=variables, codes=(0, 2))
        return output if code == 2 else ""

    def destroy(self, **variables):
        return self.run("destroy", "-auto-approve", "-input=false", variables=variables)[1]

    def outputs(self):
        return {name: value["value"] for name, value in json.loads(self.run("output", "-json")[1]).items()}

    def state(self):
        return (self._directory / "terraform.tfstate").read_text()
