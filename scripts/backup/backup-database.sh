#!/bin/sh
# Takes a manual snapshot of one DB instance through the AWS CLI, waits until it is available, looks
# at it again, and then prunes the older snapshots that this script has taken of it, by age and by
# count. Works with Howdah and with AWS: it uses nothing but `aws rds`.
#
# It never touches a snapshot that it has not taken: those that it takes are named PREFIX-DATE-TIME
# and have the tag "taken-by" with the value "backup-database.sh", and only one that has both can go.
# The snapshot just taken and the newest KEEP_LEAST of them never go, whatever their age.
set -eu

INSTANCE=prod-e-db
PREFIX=
KEEP_DAYS=30
KEEP_MOST=60
KEEP_LEAST=3
TIMEOUT=7200
POLL=5
DRY_RUN=no
LOCK=
TAG_KEY="taken-by"
TAG_VALUE=backup-database.sh

usage() {
  cat <<USAGE
usage: backup-database.sh [options]
  --instance NAME     the DB instance (default: $INSTANCE)
  --prefix NAME       of the snapshots' names (default: the instance's name)
  --keep-days N       snapshots older than N days go (default: $KEEP_DAYS; 0: age does not count)
  --keep-most N       no more than N stay (default: $KEEP_MOST; 0: their number does not count)
  --keep-least N      so many stay in any case (default: $KEEP_LEAST; at least 1)
  --timeout SECONDS   for the snapshot to be available (default: $TIMEOUT)
  --lock FILE         one run at a time by this file (default: in \$XDG_RUNTIME_DIR or /tmp)
  --dry-run           says what would be done, and does nothing
  --help

The AWS CLI takes its endpoint, region and credentials from the environment, for example from
'howdah env'. The name of the new snapshot is the only line on stdout; all else goes to stderr.

exit codes: 0 done; 1 no snapshot was taken, or it did not become good; 2 usage; 3 there is no such
DB instance; 4 the snapshot is good, but pruning failed; 5 another run is under way; 6 timed out.
USAGE
}

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }
die() {
  code=$1
  shift
  say "error: $*"
  exit "$code"
}
bad_usage() {
  printf 'backup-database.sh: %s\n' "$*" >&2
  usage >&2
  exit 2
}

lower() { printf %s "$1" | LC_ALL=C tr '[:upper:]' '[:lower:]'; }
number() { # OPTION VALUE
  case $2 in
    '' | *[!0-9]*) bad_usage "$1 wants a number, not '$2'" ;;
  esac
}

while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) DRY_RUN=yes ;;
    --help) usage; exit 0 ;;
    --instance | --prefix | --keep-days | --keep-most | --keep-least | --timeout | --lock)
      [ $# -ge 2 ] || bad_usage "$1 wants a value"
      case $1 in
        --instance) INSTANCE=$2 ;;
        --prefix) PREFIX=$2 ;;
        --keep-days) number "$1" "$2"; KEEP_DAYS=$2 ;;
        --keep-most) number "$1" "$2"; KEEP_MOST=$2 ;;
        --keep-least) number "$1" "$2"; KEEP_LEAST=$2 ;;
        --timeout) number "$1" "$2"; TIMEOUT=$2 ;;
        --lock) LOCK=$2 ;;
      esac
      shift
      ;;
    *) bad_usage "unknown option '$1'" ;;
  esac
  shift
done
[ "$KEEP_LEAST" -ge 1 ] || bad_usage "--keep-least is at least 1"
[ "$KEEP_MOST" -eq 0 ] || [ "$KEEP_MOST" -ge "$KEEP_LEAST" ] ||
  bad_usage "--keep-most is less than --keep-least"
PREFIX=${PREFIX:-$INSTANCE}
case $INSTANCE$PREFIX in
  *[!A-Za-z0-9-]*) bad_usage "names have only letters, digits and hyphens" ;;
esac
# As RDS keeps them.
PREFIX=$(lower "$PREFIX")
LOCK=${LOCK:-${XDG_RUNTIME_DIR:-/tmp}/backup-database-$PREFIX.lock}

for program in aws flock; do
  command -v "$program" >/dev/null || die 1 "'$program' is not installed"
done

# One run at a time. The lock goes with the process, however it ends.
exec 9>"$LOCK" || die 1 "cannot write the lock file $LOCK"
flock -n 9 || die 5 "another run holds $LOCK"

# An older CLI does not read AWS_ENDPOINT_URL itself.
rds() { aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} rds "$@" --output text; }

# "None" is how the CLI writes what is not there.
status=$(rds describe-db-instances --db-instance-identifier "$INSTANCE" \
  --query 'DBInstances[0].DBInstanceStatus' 2>&1) || {
  case $status in
    *DBInstanceNotFound*) die 3 "there is no DB instance $INSTANCE" ;;
    *) die 1 "asking for $INSTANCE: $status" ;;
  esac
}

deadline=$(($(date +%s) + TIMEOUT))
in_time() { [ "$(date +%s)" -lt "$deadline" ]; }

# An automated backup may be under way: it is waited for.
while [ "$DRY_RUN" = no ] && [ "$status" = backing-up ]; do
  in_time || die 6 "$INSTANCE is still backing-up after $TIMEOUT s"
  sleep "$POLL"
  status=$(rds describe-db-instances --db-instance-identifier "$INSTANCE" \
    --query 'DBInstances[0].DBInstanceStatus') || die 1 "asking for $INSTANCE"
done

take() {
  name=$PREFIX-$(date -u +%Y%m%d-%H%M%S)
  if [ "$DRY_RUN" = yes ]; then
    say "would take snapshot $name of $INSTANCE, which is $status"
    return
  fi
  [ "$status" = available ] || die 1 "$INSTANCE is $status, not available: no snapshot was taken"
  say "taking snapshot $name of $INSTANCE"
  answer=$(rds create-db-snapshot --db-instance-identifier "$INSTANCE" \
    --db-snapshot-identifier "$name" --tags "Key=$TAG_KEY,Value=$TAG_VALUE" \
    --query 'DBSnapshot.DBSnapshotIdentifier' 2>&1) || die 1 "taking $name: $answer"
}

await() {
  said=
  while :; do
    state=$(rds describe-db-snapshots --db-snapshot-identifier "$name" --query \
      'DBSnapshots[0].[Status,PercentProgress]' 2>&1) ||
      die 1 "asking for $name: $state"
    # shellcheck disable=SC2086  # two words
    set -- $state
    case $1 in
      available) return ;;
      creating | pending)
        if [ "$said" != "$2" ]; then say "$name: $1, $2 %"; said=$2; fi
        ;;
      *) die 1 "snapshot $name is $1: see 'aws rds describe-events --source-identifier $INSTANCE --source-type db-instance'" ;;
    esac
    in_time || die 6 "snapshot $name is still $1 after $TIMEOUT s; it goes on"
    sleep "$POLL"
  done
}

# What was taken is whole and of this instance.
verify() {
  found=$(rds describe-db-snapshots --db-snapshot-identifier "$name" --query \
    'DBSnapshots[0].[DBInstanceIdentifier,Status,PercentProgress,SnapshotType]' 2>&1) ||
    die 1 "verifying $name: $found"
  # shellcheck disable=SC2086  # four words
  set -- $found
  if [ "$1 $2 $3 $4" != "$(lower "$INSTANCE") available 100 manual" ]; then
    die 1 "snapshot $name is not what it should be: $found"
  fi
  say "$name is available and complete"
}

is_ours() { # ARN
  value=$(rds list-tags-for-resource --resource-name "$1" \
    --query "TagList[?Key=='$TAG_KEY'].Value | [0]") && [ "$value" = "$TAG_VALUE" ]
}

# Newest first: TIME IDENTIFIER ARN.
candidates() {
  rds describe-db-snapshots --db-instance-identifier "$INSTANCE" --snapshot-type manual --query \
    "DBSnapshots[?Status=='available' && starts_with(DBSnapshotIdentifier, '$PREFIX-')].[SnapshotCreateTime,DBSnapshotIdentifier,DBSnapshotArn]" |
    sort -r
}

prune() {
  list=$(candidates) || return 1
  now=$(date +%s)
  kept=0
  failed=no
  while read -r time identifier arn; do
    case $identifier in '' | None) continue ;; esac
    # PREFIX-YYYYMMDD-HHMMSS and nothing else.
    rest=${identifier#"$PREFIX"-}
    case $rest in
      [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]) ;;
      *) continue ;;
    esac
    is_ours "$arn" || continue
    taken=$(date -d "$time" +%s) || { failed=yes; continue; }
    age_days=$(((now - taken) / 86400))
    why=
    if [ "$KEEP_DAYS" -gt 0 ] && [ "$age_days" -ge "$KEEP_DAYS" ]; then why="$age_days days old"; fi
    if [ "$KEEP_MOST" -gt 0 ] && [ "$kept" -ge "$KEEP_MOST" ]; then why="more than $KEEP_MOST"; fi
    if [ -z "$why" ] || [ "$kept" -lt "$KEEP_LEAST" ] || [ "$identifier" = "${name:-}" ]; then
      kept=$((kept + 1))
    elif [ "$DRY_RUN" = yes ]; then
      say "would delete snapshot $identifier: $why"
    elif gone=$(rds delete-db-snapshot --db-snapshot-identifier "$identifier" \
      --query 'DBSnapshot.Status' 2>&1); then
      say "deleted snapshot $identifier: $why"
    else
      case $gone in
        *DBSnapshotNotFound*) ;; # somebody else was quicker
        *) say "error: deleting $identifier: $gone"; failed=yes ;;
      esac
    fi
  done <<LIST
$list
LIST
  say "$kept snapshots of $INSTANCE named $PREFIX-… are kept"
  [ "$failed" = no ]
}

take
if [ "$DRY_RUN" = no ]; then
  await
  verify
  printf '%s\n' "$name"
fi
prune || die 4 "not all old snapshots could be deleted"
