#!/bin/sh
# The build on Vercel: migrations first, and only in a build of production. A preview build that runs
# them would change the production database, because variables without a scope go to every build.
# Made by `aramid init`.
set -eu
cd "$(dirname -- "$0")/.."

# Who deploys production: vercel, here, before the build; or github, its workflow migrations-deploy, and
# this script only builds. Never both: they start at the same push, in no order.
deployer=@DEPLOYER@

case $deployer:${VERCEL_ENV:-} in
    github:production)
        echo "vercel-build: GitHub's workflow migrations-deploy deploys production; no migrations are run here" >&2
        ;;
    vercel:production)
        aramid=$(sh scripts/get-aramid.sh)
        # The disk of a build is thrown away, and a backup on it with it: set backup.command in aramid.yaml
        # to what makes a snapshot, or the variable NO_BACKUP_REASON to why a deploy needs none
        # ("Neon keeps 7 days").
        if [ -n "${NO_BACKUP_REASON:-}" ]; then
            "$aramid" deploy --env production --yes --no-backup --reason "$NO_BACKUP_REASON"
        else
            "$aramid" deploy --env production --yes
        fi
        ;;
    *:)
        if [ -n "${VERCEL:-}" ]; then
            echo "vercel-build: VERCEL_ENV is not set, so that nobody knows whether this is production" >&2
            echo "vercel-build: turn on \"Automatically expose System Environment Variables\" in the project's settings" >&2
            exit 3
        fi
        echo "vercel-build: not on Vercel; no migrations are run" >&2
        ;;
    *) echo "vercel-build: this is a build of \"$VERCEL_ENV\"; no migrations are run" >&2 ;;
esac
exec @RUN@ build
