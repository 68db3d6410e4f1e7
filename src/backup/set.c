#include "backup/set.h"

#include "backup/names.h"
#include "backup/restore.h"

#include "base/clock.h"
#include "base/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const Str manifest_suffix = STR(BACKUP_MANIFEST_SUFFIX);

const char *
backup_path(Arena *a, const BackupSet *set, const BackupFile *file)
{
    return fs_join(a, fs_dirname(a, set->path), file->name);
}

/* ---- the folder ----------------------------------------------------------------------------- */

/* Why a file of the set is not what the manifest says, as far as a look tells; NULL = it is. */
static const char *
look_at(Arena *a, BackupSet *set, const BackupFile *file)
{
    struct stat st;
    if (!file->name)
        return NULL;
    if (stat(backup_path(a, set, file), &st) != 0 || !S_ISREG(st.st_mode))
        return str_fmt(a, "%s is missing", file->name);
    set->bytes += st.st_size;
    return st.st_size == file->bytes ? NULL
                                     : str_fmt(a, "%s has %lld bytes instead of %lld", file->name,
                                               (long long)st.st_size, (long long)file->bytes);
}

/* Read a manifest and look at its files; false: it is no manifest of ours. */
static bool
read_set(Arena *a, const char *path, BackupSet *ret)
{
    Err err;
    Str name = str_of(fs_basename(path));
    *ret =
        (BackupSet){.path = path, .id = str_dup(a, str_slice(name, 0, name.n - manifest_suffix.n))};
    if (!backup_manifest_read(a, path, &ret->manifest, &err)) {
        ret->manifest = (BackupManifest){0};
        ret->broken = str_dupz(a, err.primary);
        return backup_name_is(BACKUP_MANIFEST, name);
    }
    ret->id = ret->manifest.id;
    const char *data = look_at(a, ret, &ret->manifest.data);
    const char *schema = look_at(a, ret, &ret->manifest.schema);
    ret->broken = data ? data : schema;
    return true;
}

static int
newest_first(const void *pa, const void *pb)
{
    const BackupSet *a = pa, *b = pb;
    if (a->manifest.order_us != b->manifest.order_us)
        return a->manifest.order_us < b->manifest.order_us ? 1 : -1;
    return strcmp(b->id, a->id);
}

static bool
belongs(const BackupSetVec *sets, const char *name)
{
    vec_each (const BackupSet, s, sets) {
        const BackupManifest *m = &s->manifest;
        if ((m->data.name && strcmp(m->data.name, name) == 0) ||
            (m->schema.name && strcmp(m->schema.name, name) == 0))
            return true;
    }
    return false;
}

bool
backup_folder_read(Arena *a, const char *dir, BackupFolder *ret, Err *err)
{
    *ret = (BackupFolder){.dir = dir};
    findings_init(&ret->findings, a, NULL);
    FsEntryVec list = {0};
    if (fs_kind(dir) == FS_MISSING)
        return true;
    if (!fs_list(a, dir, &list, err))
        return false;
    vec_each (const FsEntry, e, &list) {
        BackupSet set;
        if (e->kind == FS_FILE && e->name[0] != '.' && str_ends(str_of(e->name), manifest_suffix) &&
            read_set(a, fs_join(a, dir, e->name), &set))
            *vec_add(a, &ret->sets) = set;
    }
    vec_each (const FsEntry, e, &list)
        if (e->kind == FS_FILE && backup_name_is(BACKUP_DATA, str_of(e->name)) &&
            !belongs(&ret->sets, e->name))
            finding_add(&ret->findings, FINDING_BACKUP_STRAY,
                        "it has no manifest: it is no complete backup, or not Aramid's")
                ->path = e->name;
    if (ret->sets.n)
        qsort(ret->sets.v, ret->sets.n, sizeof *ret->sets.v, newest_first);
    return true;
}

static bool
is_meant(const BackupSet *s, const char *name)
{
    const char *base = fs_basename(name);
    const BackupManifest *m = &s->manifest;
    return strcmp(s->id, name) == 0 || strcmp(fs_basename(s->path), base) == 0 ||
           (m->data.name && strcmp(m->data.name, base) == 0);
}

bool
backup_find(Arena *a, const char *dir, const char *name, BackupSet *ret, Err *err)
{
    const char *where = name && strchr(name, '/') ? fs_dirname(a, name) : dir;
    BackupFolder f;
    if (!backup_folder_read(a, where, &f, err))
        return false;
    vec_each (const BackupSet, s, &f.sets) {
        if (name ? !is_meant(s, name) : s->broken != NULL)
            continue;
        *ret = *s;
        return true;
    }
    if (name)
        err_set(err, ERR_BACKUP, "there is no backup \"%s\" in \"%s\"",
                str_printable(a, str_of(name), false), where);
    else
        err_set(err, ERR_BACKUP, "there is no backup in \"%s\"", where);
    for (size_t i = 0; i < f.sets.n && i < 5; i++)
        err_detail(err, "%s", str_printable(a, str_of(f.sets.v[i].id), false));
    return err_hint(err, "aramid backup list shows all of them");
}

/* ---- verifying ------------------------------------------------------------------------------ */

bool
backup_verify(Arena *a, const BackupSet *set, const BackupInputOptions *options, BackupTell tell,
              void *tell_arg, bool *ret_deep, Err *err)
{
    const BackupManifest *m = &set->manifest;
    *ret_deep = false;
    if (set->broken) {
        err_set(err, ERR_BACKUP_BROKEN, "the backup %s is broken: %s",
                str_printable(a, str_of(set->id), false), set->broken);
        return false;
    }
    BackupInputOptions o = *options;
    BackupFile read;
    if (m->schema.name) {
        o.path = backup_path(a, set, &m->schema);
        if (!backup_read_bytes(a, &o, &read, err))
            return false;
        if (!backup_same_file(&m->schema, read.bytes, read.sha256))
            return backup_file_changed(&m->schema, err);
    }
    if (!m->data.name)
        return true;
    o.path = backup_path(a, set, &m->data);
    if (m->recipients.n && !o.identity && !o.file_key)
        return backup_read_bytes(a, &o, &read, err) &&
               (backup_same_file(&m->data, read.bytes, read.sha256) ||
                backup_file_changed(&m->data, err));
    RestoreSurvey s;
    *ret_deep = restore_survey(a, &o, m, tell, tell_arg, &s, err);
    return *ret_deep;
}

/* ---- old ones ------------------------------------------------------------------------------- */

bool
backup_same_database(const BackupSet *a, const BackupSet *b)
{
    const BackupManifest *x = &a->manifest, *y = &b->manifest;
    return strcmp(x->environment, y->environment) == 0 && strcmp(x->database, y->database) == 0 &&
           strcmp(x->host, y->host) == 0;
}

typedef struct Choice {
    Arena *arena;
    const BackupFolder *folder;
    const BackupAge *age;
    const BackupInputOptions *options;
    signed char *known; /* each is read at most once: 0 = not yet, 1 = good, -1 = broken */
} Choice;

/* Whether a newer set of the same database is good. */
static bool
has_newer_good(Choice *c, size_t at, bool *ret, Err *err)
{
    *ret = false;
    for (size_t i = 0; i < at && !*ret; i++) {
        const BackupSet *s = &c->folder->sets.v[i];
        if (s->broken || !backup_same_database(s, &c->folder->sets.v[at]))
            continue;
        if (!c->known[i]) {
            bool deep;
            Err why;
            bool good = (c->age->fresh && strcmp(s->id, c->age->fresh) == 0) ||
                        backup_verify(c->arena, s, c->options, NULL, NULL, &deep, &why);
            if (!good && why.code == ERR_INTERRUPTED) {
                *err = why;
                return false;
            }
            c->known[i] = good ? 1 : -1;
        }
        *ret = c->known[i] > 0;
    }
    return true;
}

static const int64_t day_us = INT64_C(86400000000);

/* A clock that jumped makes every backup old. */
static bool
check_clocks(Arena *a, const BackupFolder *f, const BackupClock *clock, Err *err)
{
    int64_t apart = clock->offset_us < 0 ? -clock->offset_us : clock->offset_us;
    if (apart > day_us) {
        long long days = (long long)((apart + day_us / 2) / day_us);
        err_set(err, ERR_CLOCK, "the clock of this machine is %lld day%s %s the server's", days,
                str_plural(days), clock->offset_us < 0 ? "ahead of" : "behind");
        return err_hint(err, "set the wrong one right (date; SELECT now()), then: aramid backup "
                             "prune");
    }
    vec_each (const BackupSet, s, &f->sets) {
        if (!s->manifest.id || s->manifest.started_us <= clock->now_us + day_us)
            continue;
        err_set(err, ERR_CLOCK, "backup \"%s\" was made at %s, which is still to come",
                str_printable(a, str_of(s->id), false), clock_iso(a, s->manifest.started_us));
        return err_hint(err, "the clock was wrong then, or is now. When it is right now, take "
                             "that backup's files out of the folder");
    }
    return true;
}

bool
backup_choose_old(Arena *a, const BackupFolder *f, const BackupAge *age,
                  const BackupInputOptions *options, BackupSetVec *ret, Err *err)
{
    *ret = (BackupSetVec){0};
    if (age->days <= 0)
        return true;
    if (!check_clocks(a, f, &age->clock, err))
        return false;
    Choice c = {a, f, age, options, arena_alloc(a, f->sets.n + 1)};
    int64_t limit = age->clock.now_us - age->days * day_us;
    for (size_t i = 0; i < f->sets.n; i++) {
        const BackupSet *s = &f->sets.v[i];
        bool empty =
            s->broken && s->manifest.data.name && !fs_exists(backup_path(a, s, &s->manifest.data));
        bool newer;
        if (!s->manifest.id || s->manifest.started_us >= limit || (s->broken && !empty))
            continue;
        if (!has_newer_good(&c, i, &newer, err))
            return false;
        if (newer)
            *vec_add(a, ret) = *s;
    }
    return true;
}

bool
backup_remove(Arena *a, const BackupSet *set, Err *err)
{
    const BackupManifest *m = &set->manifest;
    return (!m->data.name || fs_remove(backup_path(a, set, &m->data), err)) &&
           (!m->schema.name || fs_remove(backup_path(a, set, &m->schema), err)) &&
           fs_remove(set->path, err);
}

/* ---- making the folder ---------------------------------------------------------------------- */

/* Whether a list of patterns names the folder in one of the usual spellings. */
static bool
is_ignored(Str text, Str name)
{
    for (Str rest = text; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        while (line.n && line.p[0] == '/')
            line = str_slice(line, 1, line.n);
        while (line.n && (line.p[line.n - 1] == '/' || line.p[line.n - 1] == '*'))
            line.n--;
        if (str_eq(line, name))
            return true;
    }
    return false;
}

typedef struct IgnoreFile {
    const char *name;
    const char *root; /* what begins a path from the project's folder on */
    const char *when; /* what in the project asks for the file */
} IgnoreFile;

static bool
ignore_in(Arena *a, const char *project, const IgnoreFile *file, Str name, BackupNames *ret,
          Err *err)
{
    const char *path = fs_join(a, project, file->name);
    Str text = STR("");
    bool there;
    if (!fs_read_if_there(a, path, &there, &text, err))
        return false;
    if (!there)
        text = STR("");
    if ((!there && !fs_exists(fs_join(a, project, file->when))) || is_ignored(text, name))
        return true;
    Buf b;
    buf_init(&b, a);
    buf_add(&b, text);
    if (text.n && text.p[text.n - 1] != '\n')
        buf_addc(&b, '\n');
    buf_fmt(&b, "%s" STR_FMT "/\n", file->root, STR_ARG(name));
    *vec_add(a, ret) = file->name;
    return fs_replace(path, buf_str(&b), err);
}

/* A backup must not wait for a file of the project's to become writable: what fails is left. */
static void
ignore_in_project(Arena *a, const char *dir, const char *project, BackupNames *ret)
{
    Err ignored;
    const char *below = fs_below(project, dir);
    if (below == dir)
        return;
    static const IgnoreFile files[] = {{".gitignore", "/", ".git"},
                                       {".dockerignore", "", "Dockerfile"}};
    for (size_t i = 0; i < COUNT(files); i++)
        (void)!ignore_in(a, project, &files[i], str_of(below), ret, &ignored);
}

bool
backup_folder_make(Arena *a, const char *dir, const char *project, BackupNames *ret_ignored,
                   Err *err)
{
    *ret_ignored = (BackupNames){0};
    bool is_new = !fs_exists(dir);
    if (!fs_mkdirs(dir, 0700, err))
        return false;
    const char *own = fs_join(a, dir, ".gitignore");
    if (!fs_exists(own) && !fs_write(own, STR("*\n"), 0600, err))
        return false;
    if (is_new)
        ignore_in_project(a, dir, project, ret_ignored);
    return true;
}
