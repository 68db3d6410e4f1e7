#include "backup/backup_int.h"

#include "backup/names.h"
#include "backup/restore.h"
#include "backup/tools.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "psl/psl.h"

#include <unistd.h>

enum { SCHEMA_MAX = 64 * 1024 * 1024 };

static void
found(const BackupRequest *r, FindingId id, const char *text)
{
    if (r->find)
        r->find(r->find_arg, id, text);
}

/* ---- the schema ----------------------------------------------------------------------------- */

/* A URL in it may hold a password, and backups go where the project's files do not. */
static void
add_without_passwords(Arena *a, Buf *b, Str text)
{
    while (text.p) {
        Str line = str_cut(&text, '\n');
        if (memmem(line.p, line.n, "://", 3))
            buf_addz(b, url_redact(a, line, NULL, 0));
        else
            buf_add(b, line);
        if (text.p)
            buf_addc(b, '\n');
    }
}

/* One file; the files of a folder one after the other, each under its name. */
static bool
read_schema(Arena *a, const Config *c, Str *ret, Err *err)
{
    *ret = STR("");
    if (!c->schema_path || !fs_exists(c->schema_path))
        return true;
    Source *files;
    size_t n;
    Str text;
    Buf b;
    buf_init(&b, a);
    if (fs_kind(c->schema_path) == FS_FILE) {
        if (!fs_read(a, c->schema_path, SCHEMA_MAX, &text, err))
            return false;
        add_without_passwords(a, &b, text);
    } else {
        if (!psl_load_sources(a, c->schema_path, &files, &n, err))
            return false;
        for (size_t i = 0; i < n; i++) {
            buf_fmt(&b, "%s// ---- %s\n\n", i ? "\n" : "", fs_below(c->schema_path, files[i].path));
            add_without_passwords(a, &b, files[i].text);
        }
    }
    *ret = buf_str(&b);
    return true;
}

/* ---- making --------------------------------------------------------------------------------- */

typedef struct Maker {
    Arena *arena;
    const BackupRequest *r;
    const Config *config;
    const char *dir;
    BackupStems names;
    BackupFacts facts;
    ConfigList keys;
    BackupManifest m;
} Maker;

/* What stops a backup before anything is asked of a server. */
static bool
prepare(Maker *k, Err *err)
{
    Arena *a = k->arena;
    k->keys = config_list(a, k->config, CFG_BACKUP_KEYS);
    vec_each (const char *const, key, &k->keys)
        if (!age_check_recipient(*key, err))
            return false;
    BackupNames ignored;
    if (!backup_folder_make(a, k->dir, k->config->project_dir, &ignored, err))
        return false;
    vec_each (const char *const, file, &ignored)
        found(k->r, FINDING_BACKUP_IGNORED,
              str_fmt(a, "added the folder of the backups to %s", *file));
    backup_sweep(a, k->dir);
    BackupFolder there;
    if (!backup_folder_read(a, k->dir, &there, err))
        return false;
    vec_each (const BackupSet, s, &there.sets)
        if (s->manifest.order_us >= k->m.order_us)
            k->m.order_us = s->manifest.order_us + 1;
    return backup_name_choose(a, k->r->name, k->dir, k->m.started_us, &k->names, err);
}

static void
fill(Maker *k)
{
    const BackupRequest *r = k->r;
    const BackupFacts *f = &k->facts;
    BackupManifest *m = &k->m;
    m->id = k->names.id;
    m->aramid = ARAMID_VERSION;
    m->environment = k->config->env_name;
    m->host = f->host;
    m->database = f->database;
    m->user = f->user;
    m->server = f->server;
    m->server_number = f->server_number;
    m->system_identifier = f->system_identifier;
    m->wal_position = f->wal_position;
    m->reason = r->reason;
    m->run_id = r->run_id;
    m->migration = r->migration;
    m->applied = r->applied;
}

/* The method that the setting means here, and its program. */
static bool
choose_method(Maker *k, PgProgram *ret, Err *err)
{
    const Config *c = k->config;
    const char *method = c->values[CFG_BACKUP_METHOD].text;
    const char *command = c->values[CFG_BACKUP_COMMAND].text;
    bool is_auto = strcmp(method, "auto") == 0;
    if (strcmp(method, "command") == 0 || (is_auto && command)) {
        k->m.method = BACKUP_BY_COMMAND;
        return command || err_set(err, ERR_CONFIG,
                                  "backup.method is command, but backup.command is "
                                  "not set");
    }
    k->m.method = BACKUP_BY_PG_DUMP;
    k->m.format = backup_format_of(str_of(c->values[CFG_BACKUP_FORMAT].text));
    bool native = strcmp(method, "native") == 0;
    if (!native && backup_find_tool(k->arena, "pg_dump", c->values[CFG_BACKUP_BIN].text,
                                    k->facts.server_number / 10000, ret, err))
        return true;
    if (!native && !is_auto)
        return false;
    if (!native)
        found(k->r, FINDING_BACKUP_NATIVE,
              str_fmt(k->arena, "%s, so Aramid makes the dump itself", err->primary));
    k->m.method = BACKUP_BY_NATIVE;
    if (k->m.format == BACKUP_CUSTOM) /* only pg_dump writes that */
        k->m.format = BACKUP_ZSTD;
    return true;
}

/* Write a small file durably under a name that nobody has. */
static bool
write_small(Maker *k, const char *name, Str text, BackupFile *ret, Err *err)
{
    BACKUP_OUTPUT_LOCAL out = NULL;
    BackupFile file;
    if (!backup_output_open(k->arena, fs_join(k->arena, k->dir, name), false, NULL, 0, &out, err) ||
        !backup_output_write(out, text, err) || !backup_output_end(out, &file, err) ||
        !backup_output_publish(out, err))
        return false;
    *ret = file;
    return true;
}

/* Read back what was written, and take from there what the manifest says. */
static bool
prove(Maker *k, BackupOutput *out, const BackupFile *file, const DumpTotals *written, Err *err)
{
    BackupManifest *m = &k->m;
    BackupInputOptions o = {.path = backup_output_temporary(out),
                            .file_key = backup_output_key(out),
                            .bindir = k->config->values[CFG_BACKUP_BIN].text,
                            .trace = k->config->trace,
                            .timeout_ms = config_ms(k->config, CFG_BACKUP_TIMEOUT),
                            .tick = k->r->tick,
                            .tick_arg = k->r->tick_arg};
    RestoreSurvey c;
    int64_t started = clock_ms();
    if (!restore_survey(k->arena, &o, NULL, k->r->tell, k->r->tell_arg, &c, err)) {
        if (err->code == ERR_BACKUP_BROKEN || err->code == ERR_RESTORE)
            err->code = ERR_BACKUP;
        return false;
    }
    if (c.file_bytes != file->bytes || strcmp(c.sha256, file->sha256) != 0 ||
        (written && (c.totals.bytes != written->bytes || c.totals.rows != written->rows)))
        return err_set(err, ERR_BACKUP,
                       "what was written is not what could be read back: the disk "
                       "of \"%s\" is damaged",
                       k->dir);
    m->read_back_ms = clock_ms() - started;
    m->is_neutral = true;
    m->plain_bytes = c.totals.bytes;
    m->tables.v = c.tables.v;
    m->tables.n = c.tables.n;
    m->large_objects = c.totals.large_objects;
    m->large_sum = c.totals.large_sum;
    return true;
}

static bool
dump(Maker *k, const PgProgram *program, Err *err)
{
    Arena *a = k->arena;
    BackupManifest *m = &k->m;
    int64_t started = clock_ms();
    bool native = m->method == BACKUP_BY_NATIVE;
    m->tool =
        native ? "aramid " ARAMID_VERSION : str_fmt(a, "pg_dump (PostgreSQL) %s", program->version);
    vec_each (const char *const, key, &k->keys)
        *vec_add(a, &m->recipients) = *key;
    const char *name = str_fmt(a, "%s.%s%s", k->names.of[BACKUP_DATA],
                               backup_format_name(m->format), k->keys.n ? ".age" : "");
    BACKUP_OUTPUT_LOCAL out = NULL;
    if (!backup_output_open(a, fs_join(a, k->dir, name), m->format == BACKUP_ZSTD,
                            (const char *const *)k->keys.v, k->keys.n, &out, err))
        return false;
    bool plain = m->format != BACKUP_CUSTOM;
    DumpReader *reader = plain ? dump_reader_make(a, NULL, NULL) : NULL;
    DumpTotals written;
    BackupFile file;
    bool ok = native
                  ? backup_native(a, k->r, &k->facts, out, reader, err)
                  : backup_pg_dump(a, k->r, &k->facts, program->path, m->format, out, reader, err);
    if (!ok || (plain && !dump_read_end(reader, &written, err)) ||
        !backup_output_end(out, &file, err))
        return false;
    m->dump_ms = clock_ms() - started;
    if (!prove(k, out, &file, plain ? &written : NULL, err) || !backup_output_publish(out, err))
        return false;
    m->data = file;
    return true;
}

static bool
make(Maker *k, Err *err)
{
    Arena *a = k->arena;
    BackupManifest *m = &k->m;
    Str schema;
    PgProgram program = {0};
    if (!prepare(k, err) || !read_schema(a, k->config, &schema, err) ||
        !backup_facts(a, k->r, &k->facts, err) || !choose_method(k, &program, err))
        return false;
    fill(k);
    if (m->method == BACKUP_BY_COMMAND) {
        int64_t started = clock_ms();
        m->tool = "command";
        if (!backup_command(a, k->r, &k->facts, m->id, &m->command_id, err))
            return false;
        m->dump_ms = clock_ms() - started;
    } else if (!dump(k, &program, err))
        return false;
    m->finished_us = clock_wall_us() + k->r->clock_offset_us;
    return !schema.n || write_small(k, str_fmt(a, "%s.prisma", k->names.of[BACKUP_SCHEMA]), schema,
                                    &m->schema, err);
}

/* What has its name but no manifest is no backup: it goes. */
static void
take_back(Maker *k)
{
    Err ignored;
    const BackupFile *files[] = {&k->m.data, &k->m.schema};
    for (int i = 0; i < 2; i++)
        if (files[i]->name)
            (void)!fs_remove(fs_join(k->arena, k->dir, files[i]->name), &ignored);
}

bool
backup_create(Arena *a, const BackupRequest *r, BackupSet *ret, Err *err)
{
    int64_t now = clock_wall_us() + r->clock_offset_us;
    Maker k = {.arena = a,
               .r = r,
               .config = r->config,
               .dir = r->config->values[CFG_BACKUP_DIR].text,
               .m = {.started_us = now, .order_us = now}};
    BackupFile manifest;
    const char *name = NULL;
    bool ok = make(&k, err);
    if (ok) {
        name = str_fmt(a, "%s" BACKUP_MANIFEST_SUFFIX, k.names.of[BACKUP_MANIFEST]);
        ok = write_small(&k, name, backup_manifest_text(a, &k.m), &manifest, err);
    }
    if (!ok) {
        take_back(&k);
        return false;
    }
    *ret = (BackupSet){.path = fs_join(a, k.dir, name),
                       .id = k.m.id,
                       .manifest = k.m,
                       .bytes = k.m.data.bytes + k.m.schema.bytes};
    return true;
}
