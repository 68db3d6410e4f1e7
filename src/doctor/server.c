/* The server: its release, its settings, its room. */
#include "doctor/doctor_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "doctor/server_int.h"

#include <sys/statvfs.h>

/* ---- release --------------------------------------------------------------------------------- */

/* https://www.postgresql.org/support/versioning/: the day of the last fixes. `safe` is the minor
 * release of November 2025, which closed CVE-2025-12817; older ones have holes that are public. */
static const struct {
    int major, safe;
    const char *end;
} releases[] = {
    {13, 23, "2025-11-13"}, {14, 20, "2026-11-12"}, {15, 15, "2027-11-11"},
    {16, 11, "2028-11-09"}, {17, 7, "2029-11-08"},  {18, 1, "2030-11-14"},
};

/* Releases that must not be used, from the release notes of those behind them. */
static const struct {
    int major, from, to;
    Severity level;
    const char *why;
} bad_releases[] = {
    {14, 0, 3, SEV_ERROR,
     "CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY can make corrupt indexes (fixed in 14.4: "
     "then "
     "REINDEX what was built so)"},
    {13, 17, 17, SEV_WARNING, "extensions may crash: its interface was broken (fixed in 13.18)"},
    {14, 14, 14, SEV_WARNING, "extensions may crash: its interface was broken (fixed in 14.15)"},
    {15, 9, 9, SEV_WARNING, "extensions may crash: its interface was broken (fixed in 15.10)"},
    {16, 5, 5, SEV_WARNING, "extensions may crash: its interface was broken (fixed in 16.6)"},
    {17, 1, 1, SEV_WARNING, "extensions may crash: its interface was broken (fixed in 17.2)"},
};

static void
look_at_release(Doctor *d, int version)
{
    int major = version / 10000, minor = version % 10000;
    const char *name = str_fmt(d->arena, "PostgreSQL %d.%d", major, minor);
    doctor_add(d, FINDING_SERVER_VERSION, SEV_OK, NULL, NULL, "%s", name);
    for (size_t i = 0; i < COUNT(bad_releases); i++)
        if (bad_releases[i].major == major && minor >= bad_releases[i].from &&
            minor <= bad_releases[i].to)
            doctor_add(d, FINDING_SERVER_RELEASE, bad_releases[i].level, name,
                       "install the newest minor release and restart the server", "%s",
                       bad_releases[i].why);
    const char *today = clock_iso(d->arena, clock_wall_us());
    for (size_t i = 0; i < COUNT(releases); i++) {
        if (releases[i].major != major)
            continue;
        if (strncmp(today, releases[i].end, 10) > 0)
            doctor_add(d, FINDING_SERVER_RELEASE, SEV_WARNING, name,
                       "plan the upgrade to a newer major version", "gets no more fixes since %s",
                       releases[i].end);
        else if (minor < releases[i].safe)
            doctor_add(
                d, FINDING_SERVER_RELEASE, SEV_WARNING, name,
                "install the newest minor release and restart the server; data stays as it is",
                "has security holes that are public (%d.%d and newer have them closed)", major,
                releases[i].safe);
    }
}

/* ---- settings -------------------------------------------------------------------------------- */

typedef struct BadSetting {
    const char *name, *value; /* value: this one hurts; NULL = everything but `good` */
    const char *good;
    Severity level;
    const char *why;
} BadSetting;

static const BadSetting bad_settings[] = {
    {"fsync", "off", NULL, SEV_ERROR, "a crash of the machine destroys the database"},
    {"full_page_writes", "off", NULL, SEV_ERROR, "a crash of the machine can destroy the database"},
    {"zero_damaged_pages", "on", NULL, SEV_ERROR, "damaged pages are emptied without a word"},
    {"ignore_checksum_failure", "on", NULL, SEV_ERROR,
     "damaged pages are read as if they were good"},
    {"session_replication_role", NULL, "origin", SEV_ERROR,
     "triggers do not fire and foreign keys are not checked"},
    {"default_transaction_read_only", "on", NULL, SEV_ERROR, "nothing can be written"},
    {"standard_conforming_strings", "off", NULL, SEV_WARNING,
     "backslashes in '...' mean something else than tools think"},
    {"autovacuum", "off", NULL, SEV_WARNING, "tables bloat, and transaction ids run out"},
    {"track_counts", "off", NULL, SEV_WARNING, "autovacuum does not work without it"},
    {"synchronous_commit", "off", NULL, SEV_NOTICE,
     "a crash loses the last moments, though commits said done"},
    {"row_security", "off", NULL, SEV_NOTICE,
     "queries fail where row-level security would filter rows"},
    {"server_encoding", "SQL_ASCII", NULL, SEV_WARNING,
     "texts of any encoding are mixed unchecked"},
    {"data_checksums", "off", NULL, SEV_NOTICE, "damage on the disk is not noticed"},
};

static void
tell_setting(Doctor *d, const BadSetting *b, const char *value, const char *reset,
             bool is_throwaway)
{
    Severity level = is_throwaway && b->level == SEV_ERROR && b->value ? SEV_WARNING : b->level;
    bool fixed = strcmp(b->name, "server_encoding") == 0 || strcmp(b->name, "data_checksums") == 0;
    const char *fix = fixed ? NULL
                      : reset[0]
                          ? str_fmt(d->arena, "%s RESET %s", reset, b->name)
                          : str_fmt(d->arena,
                                    "ALTER SYSTEM RESET %s; SELECT pg_reload_conf(); some settings "
                                    "need a restart, or stand in postgresql.conf",
                                    b->name);
    doctor_add(d, FINDING_SERVER_SETTING, level, b->name, level >= SEV_WARNING ? fix : NULL,
               "%s: %s", value, b->why);
}

/* Limits on time: Aramid sets its own, other clients of this role are bound by them. */
static void
tell_timeout(Doctor *d, const char *name, int64_t ms, const char *origin)
{
    if (ms == 0)
        return;
    doctor_add(d, FINDING_SERVER_SETTING, SEV_NOTICE, name, NULL,
               "%s (%s); Aramid's own sessions set theirs", clock_duration(d->arena, ms), origin);
}

static const char settings_sql[] =
    "SELECT s.name, s.reset_val, s.source, s.unit FROM pg_catalog.pg_settings s WHERE s.name = ANY "
    "("
    "'{fsync,full_page_writes,zero_damaged_pages,ignore_checksum_failure,session_replication_role,"
    "default_transaction_read_only,standard_conforming_strings,autovacuum,track_counts,synchronous_"
    "commit,"
    "row_security,server_encoding,data_checksums,statement_timeout,lock_timeout,"
    "idle_in_transaction_session_timeout,transaction_timeout,wal_level}') ORDER BY s.name";

/* Who set it for this role or database ("of role app in database shop"), and how to take it back.
 */
static const char overrides_sql[] =
    "SELECT pg_catalog.split_part(u.entry, '=', 1), CASE WHEN s.setrole = 0 THEN 'of database ' ||"
    " d.datname WHEN s.setdatabase = 0 THEN 'of role ' || r.rolname ELSE 'of role ' || r.rolname ||"
    " ' in database ' || d.datname END, CASE WHEN s.setrole = 0 THEN pg_catalog.format('ALTER "
    "DATABASE %I',"
    " d.datname) WHEN s.setdatabase = 0 THEN pg_catalog.format('ALTER ROLE %I', r.rolname) ELSE"
    " pg_catalog.format('ALTER ROLE %I IN DATABASE %I', r.rolname, d.datname) END FROM "
    "pg_catalog.pg_db_role_setting s CROSS JOIN"
    " pg_catalog.unnest(s.setconfig) u(entry) LEFT JOIN pg_catalog.pg_database d ON d.oid = "
    "s.setdatabase"
    " LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole WHERE (s.setdatabase = 0 OR d.datname ="
    " pg_catalog.current_database()) AND (s.setrole = 0 OR r.rolname = CURRENT_USER)"
    " ORDER BY s.setrole <> 0, s.setdatabase <> 0";

/* The strongest one is the last; col 1 = whose it is, 2 = the statement to take it back with. */
static const char *
origin_of(Doctor *d, const DbRows *overrides, Str name, int col, const char *otherwise)
{
    const char *found = otherwise;
    for (int i = 0; overrides && i < overrides->rows; i++)
        if (str_eq(db_cell(overrides, i, 0), name))
            found = doctor_text(d, overrides, i, col);
    return found;
}

static void
look_at_settings(Doctor *d, Session *s)
{
    const DbRows *r = doctor_ask(d, s, "settings", settings_sql);
    const DbRows *overrides = r ? doctor_ask(d, s, "settings of roles", overrides_sql) : NULL;
    bool is_throwaway = d->config->profile == PROFILE_DEVELOPMENT;
    int before = (int)d->findings.items.n;
    for (int i = 0; r && i < r->rows; i++) {
        Str name = db_cell(r, i, 0), value = db_cell(r, i, 1);
        const char *origin = origin_of(d, overrides, name, 1, "of the server");
        if (str_ends(name, STR("_timeout"))) {
            tell_timeout(d, str_dup(d->arena, name), doctor_int(r, i, 1), origin);
            continue;
        }
        for (size_t k = 0; k < COUNT(bad_settings); k++) {
            const BadSetting *b = &bad_settings[k];
            if (str_is(name, b->name) &&
                (b->value ? str_is(value, b->value) : !str_is(value, b->good)))
                tell_setting(d, b, doctor_text(d, r, i, 1), origin_of(d, overrides, name, 2, ""),
                             is_throwaway);
        }
    }
    if (r && (int)d->findings.items.n == before)
        doctor_add(d, FINDING_SERVER_SETTING, SEV_OK, NULL, NULL, "%d settings looked at", r->rows);
}

/* ---- room ------------------------------------------------------------------------------------ */

static const char room_sql[] =
    "SELECT pg_catalog.pg_database_size(d.oid), pg_catalog.current_setting('max_connections')::int,"
    " (SELECT pg_catalog.sum(x.setting::int) FROM pg_catalog.pg_settings x WHERE x.name IN"
    "  ('superuser_reserved_connections', 'reserved_connections')),"
    " d.datconnlimit, r.rolconnlimit,"
    " (SELECT pg_catalog.sum(x.numbackends) FROM pg_catalog.pg_stat_database x),"
    " (SELECT pg_catalog.sum(x.numbackends) FROM pg_catalog.pg_stat_database x WHERE x.datid = "
    "d.oid),"
    " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity x WHERE x.usesysid = r.oid),"
    " r.rolsuper, pg_catalog.pg_has_role('pg_monitor', 'USAGE')"
    " FROM pg_catalog.pg_database d, pg_catalog.pg_roles r WHERE d.datname ="
    " pg_catalog.current_database() AND r.rolname = CURRENT_USER";

static void
tell_connections(Doctor *d, const char *what, int64_t used, int64_t most, const char *fix)
{
    int64_t left = most - used;
    Severity level = left <= 2 ? SEV_ERROR : left * 10 < most ? SEV_WARNING : SEV_OK;
    doctor_add(d, FINDING_SERVER_CONNECTIONS, level, what, level >= SEV_WARNING ? fix : NULL,
               "%lld of %lld used, %lld left", (long long)used, (long long)most,
               (long long)(left > 0 ? left : 0));
}

static void
tell_disk(Doctor *d, const char *what, const char *dir, int64_t database_bytes)
{
    struct statvfs v;
    if (!dir || statvfs(dir, &v) != 0)
        return;
    int64_t left = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
    int64_t all = (int64_t)v.f_blocks * (int64_t)v.f_frsize;
    Severity level = left < database_bytes || left * 20 < all ? SEV_WARNING : SEV_OK;
    doctor_add(d, FINDING_SERVER_DISK, level, what,
               level == SEV_WARNING
                   ? "free space: an index build or a backup may need as much as the "
                     "database"
                   : NULL,
               "%s of %s free", doctor_bytes(d->arena, left), doctor_bytes(d->arena, all));
}

static void
look_at_room(Doctor *d, Session *s, const char *data_dir)
{
    const DbRows *r = doctor_ask(d, s, "size and connections", room_sql);
    if (!r || r->rows != 1)
        return;
    static const char fix[] = "end idle clients, give applications a pooler, or raise the limit";
    int64_t size = doctor_int(r, 0, 0);
    doctor_add(d, FINDING_SERVER_SIZE, SEV_OK, NULL, NULL, "%s", doctor_bytes(d->arena, size));
    tell_disk(d, "the project's disk", d->config->project_dir, size);
    tell_disk(d, "the server's disk", data_dir, size);
    bool super = doctor_true(r, 0, 8);
    tell_connections(d, "server", doctor_int(r, 0, 5),
                     doctor_int(r, 0, 1) - (super ? 0 : doctor_int(r, 0, 2)), fix);
    if (doctor_int(r, 0, 3) >= 0 && !super)
        tell_connections(d, "database", doctor_int(r, 0, 6), doctor_int(r, 0, 3),
                         "ALTER DATABASE ... CONNECTION LIMIT");
    if (doctor_int(r, 0, 4) >= 0 && !super)
        tell_connections(d, "role", doctor_int(r, 0, 7), doctor_int(r, 0, 4),
                         "ALTER ROLE ... CONNECTION LIMIT");
    if (!super && !doctor_true(r, 0, 9))
        doctor_add(d, FINDING_SERVER_HIDDEN, SEV_NOTICE, NULL,
                   str_fmt(d->arena, "as an administrator: GRANT pg_monitor TO %s",
                           doctor_ident(d, NULL, db_info(s->db)->user)),
                   "what sessions of other roles do, standbys and some settings are not visible to "
                   "this role");
}

void
doctor_server(Doctor *d, Session *s, const char *data_dir)
{
    d->now = AREA_SERVER;
    if (db_info(s->db)->is_shared) {
        doctor_add(
            d, FINDING_SERVER_VERSION, SEV_NOTICE, NULL, NULL,
            "%s, also in `prisma dev`: all clients share one session, so its locks exclude nobody "
            "and nothing can be cancelled; status, plan, deploy, diff, drift and pull work, "
            "backups "
            "and restores are refused",
            db_server_text(d->arena, db_info(s->db)));
        doctor_server_objects(d, s);
        return;
    }
    look_at_release(d, db_info(s->db)->version);
    look_at_settings(d, s);
    look_at_room(d, s, data_dir);
    doctor_server_sessions(d, s);
    doctor_server_objects(d, s);
}
