#!/usr/bin/env bash
# Removes what create.sh made. What is gone already is no error, so it may be run again.
set -euo pipefail

region=${AWS_REGION:-us-west-2}

aws() {
  command "${AWS_CLI:-aws}" --region "$region" ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"
}

say() { printf '%s\n' "$*" >&2; }

# unless_gone CODE CALL…: makes the call; that the thing does not exist (CODE) is as good.
unless_gone() {
  local code=$1 answer
  shift
  if ! answer=$(aws "$@" 2>&1 >/dev/null) && [[ "$answer" != *"$code"* ]]; then
    printf '%s\n' "$answer" >&2
    return 1
  fi
}

say "database"
unless_gone DBInstanceNotFound rds delete-db-instance --db-instance-identifier prod-e-db --skip-final-snapshot
aws rds wait db-instance-deleted --db-instance-identifier prod-e-db
unless_gone DBSubnetGroupNotFoundFault rds delete-db-subnet-group --db-subnet-group-name db-subnet-group

say "secret"
unless_gone ResourceNotFoundException secretsmanager delete-secret --secret-id prod-e/db-credentials \
  --force-delete-without-recovery

say "network"
vpc=$(aws ec2 describe-vpcs --filters Name=tag:Name,Values=prod-e-vpc --query 'Vpcs[0].VpcId' --output text)
if [[ "$vpc" != None ]]; then
  # db-security-group names the other one in its rule, so it goes first.
  for name in db-security-group ecs-security-group; do
    group=$(aws ec2 describe-security-groups --filters "Name=vpc-id,Values=$vpc" "Name=group-name,Values=$name" \
      --query 'SecurityGroups[0].GroupId' --output text)
    [[ "$group" == None ]] || aws ec2 delete-security-group --group-id "$group" >/dev/null
  done
  for subnet in $(aws ec2 describe-subnets --filters "Name=vpc-id,Values=$vpc" --query 'Subnets[].SubnetId' --output text); do
    aws ec2 delete-subnet --subnet-id "$subnet" >/dev/null
  done
  aws ec2 delete-vpc --vpc-id "$vpc" >/dev/null
fi

echo "prod-e is gone"
