"""Every operation of AWS's models that Howdah does not serve is refused as AWS refuses: a 4xx in the service's own
protocol, which the SDKs read as an error and do not try again."""

import unittest

import botocore.session
from harness import Howdah
from wire import Model, Wire

SERVED = ("rds", "ec2", "secretsmanager", "cloudformation", "sts")
# An operation that is not served says so with one of these.
REFUSALS = {"InvalidAction", "UnknownOperationException"}


class NotServed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.wire = Wire(cls.howdah)
        cls.addClassCleanup(cls.wire.close)
        session = botocore.session.get_session()
        cls.loader = session.get_component("data_loader")
        cls.services = session.get_available_services()

    def ask(self, metadata, operation, definition):
        """The operation without parameters, in the form of its service's protocol."""
        protocol = metadata["protocol"]
        signing = metadata.get("signingName", metadata["endpointPrefix"])
        if protocol in ("query", "ec2"):
            return self.wire.form(signing, metadata["apiVersion"], operation, [])
        if protocol == "json":
            return self.wire.json(signing, f"{metadata['targetPrefix']}.{operation}", {}, metadata["jsonVersion"])
        http = definition["http"]
        path = http["requestUri"].split("?")[0].replace("{", "").replace("}", "").replace("+", "")
        return self.wire.send(signing, b"", {}, path=path, method=http["method"])

    def check(self, metadata, operation, answer):
        self.assertTrue(400 <= answer.status < 500, f"{operation}: {answer}")
        self.assertIn(answer.code, REFUSALS, f"{operation}: {answer}")
        self.assertTrue(answer.message, operation)
        self.assertTrue(answer.headers.get("x-amzn-requestid"), operation)
        if metadata["protocol"] in ("query", "ec2"):
            # rds, sts …: ErrorResponse/Error; ec2: Response/Errors/Error.
            self.assertEqual(answer.root, "Response" if metadata["protocol"] == "ec2" else "ErrorResponse", operation)

    def test_operations_of_the_served_services(self):
        for name in SERVED:
            model = Model(name)
            metadata = {**model.metadata, "endpointPrefix": name}
            unserved = [o for o in model.all_operations if o not in model.operations]
            self.assertTrue(unserved or name == "sts")
            for operation in unserved:
                answer = self.ask(metadata, operation, None)
                self.check(metadata, operation, answer)
                self.assertIn(f"does not serve the {'operation' if model.protocol == 'json' else 'action'} {operation}",
                              answer.message)

    def test_operations_that_the_installed_client_knows_and_we_do_not(self):
        """The client's model may be older or newer than ours."""
        for name in SERVED:
            ours = set(Model(name).operations)
            theirs = self.loader.load_service_model(name, "service-2")
            for operation, definition in theirs["operations"].items():
                if operation not in ours:
                    self.check(theirs["metadata"], operation, self.ask(theirs["metadata"], operation, definition))

    def test_every_operation_of_the_model_is_registered(self):
        """What docs/compatibility.md calls served is served: it comes from the same models."""
        for name in SERVED:
            model = Model(name)
            for operation in model.operations:
                answer = self.wire.call(model, operation, {})
                self.assertNotIn(answer.code, REFUSALS, f"{name} {operation}: {answer}")
                self.assertLess(answer.status, 500, f"{name} {operation}: {answer}")

    def test_services_that_are_not_served(self):
        asked = 0
        for name in self.services:
            if name in SERVED:
                continue
            model = self.loader.load_service_model(name, "service-2")
            for operation, definition in list(model["operations"].items())[:2]:
                answer = self.ask(model["metadata"], operation, definition)
                self.assertTrue(400 <= answer.status < 500, f"{name} {operation}: {answer}")
                if model["metadata"]["protocol"] == "rest-json":  # these clients read the code there
                    self.assertIn(answer.headers.get("x-amzn-errortype"), REFUSALS, f"{name} {operation}: {answer}")
                self.assertTrue(answer.code and answer.message, f"{name} {operation}: {answer}")
                asked += 1
        self.assertGreater(asked, 300)

    def test_what_aws_does_not_have_either(self):
        for name in ("rds", "ec2", "cloudformation", "sts"):
            model = Model(name)
            answer = self.wire.form(model.metadata["signingName"], model.metadata["apiVersion"], "CreateUnicorn", [])
            self.assertEqual((answer.status, answer.code), (400, "InvalidAction"))
            self.assertIn("not valid for this web service", answer.message)
        answer = self.wire.json("secretsmanager", "secretsmanager.CreateUnicorn", {})
        self.assertEqual((answer.status, answer.code), (400, "UnknownOperationException"))

    def test_clients_read_the_refusal(self):
        with self.assertRaises(self.howdah.rds.exceptions.ClientError) as refused:
            self.howdah.rds.create_db_cluster(DBClusterIdentifier="c", Engine="aurora-postgresql")
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidAction")
        for service, call in (("s3", "list_buckets"), ("dynamodb", "list_tables"), ("lambda", "list_functions"),
                              ("iam", "list_users"), ("kms", "list_keys"), ("cloudwatch", "list_metrics")):
            client = self.howdah.client(service)
            with self.assertRaises(client.exceptions.ClientError, msg=service) as refused:
                getattr(client, call)()
            self.assertTrue(400 <= refused.exception.response["ResponseMetadata"]["HTTPStatusCode"] < 500, service)
            self.assertIn(refused.exception.response["Error"]["Code"], REFUSALS, service)


if __name__ == "__main__":
    unittest.main()
