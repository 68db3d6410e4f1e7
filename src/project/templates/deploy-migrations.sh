#!/bin/sh
# usage: scripts/deploy-migrations.sh ENVIRONMENT ACTION
#
# ENVIRONMENT  dev, staging, production, or a name that aramid.yaml defines
# ACTION       status    what is applied, pending or wrong
#              deploy    apply what is pending
#              backup    write a backup
#              verify    do schema, migrations and database agree?
#              sync      repair the history table where the database proves what is right
#              rollback  undo the last migration
#
# The exit status is Aramid's (aramid help --errors). Made by `aramid init`.
set -eu

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

[ $# -eq 2 ] || usage
environment=$1 action=$2
case $environment in
    -* | "") usage ;;
esac
cd "$(dirname -- "$0")/.."
aramid=$(sh scripts/get-aramid.sh)

case $action in
    status) exec "$aramid" status --env "$environment" ;;
    deploy) exec "$aramid" deploy --env "$environment" --yes ;;
    verify) exec "$aramid" check --env "$environment" ;;
    sync) exec "$aramid" sync --env "$environment" --yes ;;
    backup | rollback)
        if ! "$aramid" "$action" --help >/dev/null 2>&1; then
            echo "deploy-migrations.sh: this version of Aramid has no \"$action\"; nothing was done" >&2
            exit 2
        fi
        exec "$aramid" "$action" --env "$environment"
        ;;
    *)
        echo "deploy-migrations.sh: there is no action \"$action\"" >&2
        usage
        ;;
esac
