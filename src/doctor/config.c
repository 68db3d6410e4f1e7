/* The configuration: what was read, what counts, what contradicts, and what git and docker carry
 * away. */
#include "doctor/doctor_int.h"

#include "base/fs.h"

#include <fnmatch.h>
#include <sys/stat.h>

enum { SCAN_MAX = 1024 * 1024 };

static const char *const profile_names[] = {"development", "staging", "production"};

/* ---- files and values ------------------------------------------------------------------------ */

static void
look_at_files(Doctor *d)
{
    const Config *c = d->config;
    Buf names;
    buf_init(&names, d->arena);
    vec_each (const char *const, f, &c->files)
        buf_fmt(&names, "%s%s", names.n ? ", " : "", *f);
    doctor_add(d, FINDING_CONFIG_FILES, SEV_OK, NULL, NULL, "%s%s",
               names.n ? "read: " : "no configuration file in ",
               names.n ? names.p : c->project_dir);
    vec_each (const Err, e, d->problems) {
        Finding *f = doctor_add(d, FINDING_CONFIG_BROKEN, SEV_ERROR, NULL,
                                e->hint[0] ? str_dupz(d->arena, e->hint)
                                           : "correct it; until then commands stop here",
                                "%s%s%s", e->primary, e->detail[0] ? ": " : "", e->detail);
        f->path = e->at.path[0] ? fs_below(c->project_dir, e->at.path) : NULL;
        f->line = e->at.line;
    }
    vec_each (const Finding, n, &c->findings.items) {
        Finding *f = doctor_add(d, n->id, n->severity, NULL,
                                "aramid config show lists every setting and where it comes from",
                                "%s", n->text);
        f->path = n->path;
        f->line = n->line;
    }
}

static void
look_at_environment(Doctor *d)
{
    const Config *c = d->config;
    doctor_add(d, FINDING_CONFIG_ENVIRONMENT, SEV_OK, NULL, NULL,
               "environment %s, treated as %s (%s)%s", c->env_name, profile_names[c->profile],
               c->env_origin, c->is_ci ? "; this is a pipeline (CI is set)" : "");
    ConfigTwin twin;
    if (!config_find_twin(d->arena, d->request, c, &twin))
        return;
    bool is_harm = twin.profile == PROFILE_PRODUCTION && c->profile != PROFILE_PRODUCTION;
    doctor_add(d, FINDING_CONFIG_TWIN, is_harm ? SEV_ERROR : SEV_WARNING, twin.env_name,
               is_harm ? "give this environment a database of its own; if it is meant, work with "
                         "--env production"
                       : "give each environment a database of its own",
               "uses the same database as environment %s (URL from %s)", c->env_name, twin.origin);
}

/* The project that a host of Supabase names: "abc" of abc.supabase.co and db.abc.supabase.co. */
static Str
supabase_project(Str host)
{
    static const Str suffix = {".supabase.co", sizeof ".supabase.co" - 1};
    if (!str_ends(host, suffix))
        return (Str){"", 0};
    host.n -= suffix.n;
    return str_starts(host, STR("db.")) ? str_slice(host, 3, host.n) : host;
}

/* The pooler's hosts are shared: there the user names the project ("postgres.abc"). */
static void
compare_supabase(Doctor *d, const DbUrl *url)
{
    const Config *c = d->config;
    Str host = str_of(url->hosts.v[0].host), user = str_of(url->user),
        api = str_of(c->supabase_url);
    const char *scheme = c->supabase_url ? strstr(c->supabase_url, "://") : NULL;
    Str ours = supabase_project(host);
    if (str_contains(host, STR(".pooler.supabase."))) {
        str_cut(&user, '.');
        ours = user.p ? user : STR("");
    }
    if (!scheme || !ours.n)
        return;
    Str theirs = str_slice(api, (size_t)(scheme + 3 - c->supabase_url), api.n);
    theirs = supabase_project(str_cut(&theirs, '/'));
    if (!theirs.n)
        return;
    bool same = str_eq(ours, theirs);
    doctor_add(d, FINDING_CONFIG_SUPABASE, same ? SEV_OK : SEV_WARNING, c->supabase_origin,
               same ? NULL : "take both from one project's page",
               "SUPABASE_URL is of project %s, the database of %s",
               str_printable(d->arena, theirs, false), str_printable(d->arena, ours, false));
}

static bool
parse(Doctor *d, ConfigKey key, DbUrl *ret)
{
    const ConfigValue *v = &d->config->values[key];
    Err err;
    if (!v->text || !v->text[0])
        return false;
    if (url_parse(d->arena, v->text, v->origin, ret, &err))
        return true;
    doctor_add(d, FINDING_CONFIG_URL, SEV_ERROR, config_info(key)->key,
               err.hint[0] ? str_dupz(d->arena, err.hint) : "correct the URL", "%s%s%s",
               err.primary, err.detail[0] ? ": " : "", err.detail);
    return false;
}

static void
look_at_urls(Doctor *d)
{
    const Config *c = d->config;
    Arena *a = d->arena;
    DbUrl url, direct, shadow;
    bool has_url = parse(d, CFG_URL, &url), has_direct = parse(d, CFG_DIRECT_URL, &direct);
    const ConfigValue *target = config_target(c);
    bool uses_direct = target == &c->values[CFG_DIRECT_URL] && has_direct;
    const DbUrl *used = uses_direct ? &direct : has_url ? &url : NULL;
    if (used)
        doctor_add(d, FINDING_CONFIG_URL, SEV_OK, uses_direct ? "direct_url" : "url", NULL,
                   "%s, from %s", url_shown(a, used), target->origin);
    else if (!target)
        doctor_add(d, FINDING_CONFIG_URL, SEV_NOTICE, NULL, NULL, "no database URL is set");
    if (used)
        compare_supabase(d, used);
    const char *hint;
    if (used && (db_is_pooler_url(a, used, &hint) || (used->pgbouncer && !has_direct)))
        doctor_add(d, FINDING_CONFIG_POOLER, SEV_ERROR, target->origin, hint,
                   uses_direct ? "the direct URL leads to a transaction pooler"
                               : "the URL leads to a transaction pooler and no direct URL is set: "
                                 "migrations need a direct connection");
    if (!parse(d, CFG_SHADOW_URL, &shadow))
        return;
    const DbUrl *const others[] = {has_url ? &url : NULL, has_direct ? &direct : NULL};
    for (size_t i = 0; i < 2; i++)
        if (others[i] && url_same_database(&shadow, others[i])) {
            doctor_add(d, FINDING_CONFIG_SHADOW, SEV_ERROR, c->values[CFG_SHADOW_URL].origin,
                       "name an empty database of its own, or remove the setting: then a private "
                       "server is used",
                       "the database for replays is the database itself (%s)",
                       c->values[i ? CFG_DIRECT_URL : CFG_URL].origin);
            return;
        }
}

/* ---- what git and docker carry away ---------------------------------------------------------- */

typedef VEC(const char *) Names;

static bool
is_example(const char *name)
{
    static const char *const words[] = {"example", "sample", "template", "dist"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_contains(str_of(name), str_of(words[i])))
            return true;
    return false;
}

static bool
is_env_file(const char *path)
{
    const char *name = fs_basename(path);
    return (strcmp(name, ".env") == 0 || strncmp(name, ".env.", 5) == 0) && !is_example(name);
}

static void
add_matching(Doctor *d, const char *folder, const char *const *patterns, Names *ret)
{
    FsEntryVec list = {0};
    Err ignored;
    if (!fs_list(d->arena, fs_join(d->arena, d->config->project_dir, folder), &list, &ignored))
        return;
    vec_each (const FsEntry, e, &list)
        for (size_t i = 0; patterns[i]; i++)
            if (e->kind == FS_FILE && fnmatch(patterns[i], e->name, 0) == 0) {
                *vec_add(d->arena, ret) = fs_join(d->arena, folder, e->name);
                break;
            }
}

/* The folder of the backups where it lies in the project, relative to it; else NULL. */
static const char *
backups_below(const Doctor *d)
{
    const char *dir = d->config->values[CFG_BACKUP_DIR].text;
    const char *below = dir ? fs_below(d->config->project_dir, dir) : "/";
    return below[0] != '/' && fs_kind(dir) == FS_DIR ? below : NULL;
}

/* Files in which a password may stand, and the folder with the data. */
static Names
candidates(Doctor *d)
{
    static const char *const top[] = {".env",
                                      ".env.*",
                                      "aramid.y*ml",
                                      "prisma*.config.*",
                                      "package.json",
                                      "vercel.json",
                                      "Dockerfile*",
                                      "*compose*.y*ml",
                                      "drizzle.config.*",
                                      "fly.toml",
                                      "railway.json",
                                      "*.sh",
                                      NULL};
    static const char *const flows[] = {"*.y*ml", NULL};
    Names names = {0};
    add_matching(d, "", top, &names);
    add_matching(d, ".github/workflows", flows, &names);
    vec_each (const char *const, f, &d->config->files) {
        bool is_there = (*f)[0] == '/'; /* outside of the project */
        vec_each (const char *const, n, &names)
            is_there = is_there || strcmp(*n, *f) == 0;
        if (!is_there)
            *vec_add(d->arena, &names) = *f;
    }
    const char *backups = backups_below(d);
    if (backups)
        *vec_add(d->arena, &names) = backups;
    return names;
}

static bool
is_in_git(Arena *a, const char *dir)
{
    for (;;) {
        if (fs_exists(fs_join(a, dir, ".git")))
            return true;
        if (strcmp(dir, "/") == 0 || !dir[0])
            return false;
        dir = fs_dirname(a, dir);
    }
}

/* The line of the first URL in `text` with a password for another machine; 0 = none. What stands in
 * an example or comes from a variable is none. */
static int
password_line(Arena *a, Str text, const char **ret_host)
{
    static const char scheme[] = "://";
    for (size_t at = 0; at + sizeof scheme < text.n;) {
        const char *found = memmem(text.p + at, text.n - at, scheme, sizeof scheme - 1);
        if (!found)
            return 0;
        size_t i = (size_t)(found - text.p), from = i, end = i;
        at = i + sizeof scheme - 1;
        while (from > 0 && text.p[from - 1] >= 'a' && text.p[from - 1] <= 'z')
            from--;
        if (!str_starts(str_slice(text, from, i), STR("postgres")))
            continue;
        while (end < text.n && !strchr(" \t\r\n\"'`<>", text.p[end]))
            end++;
        const char *url = str_dup(a, str_slice(text, from, end));
        DbUrl u;
        Err ignored;
        SecretVec secrets = {0};
        if (strchr(url, '$') || strchr(url, '[') || !url_parse(a, url, "", &u, &ignored) ||
            !u.password)
            continue;
        url_add_secrets(a, url, &secrets);
        const char *host = u.hosts.v[0].host;
        bool is_local = !strchr(host, '.') || strncmp(host, "127.", 4) == 0;
        if (secrets.n < 2 || is_local || str_icontains(str_of(u.password), STR("password")) ||
            str_contains(str_of(host), STR("example.")))
            continue;
        int line, column;
        str_line_col(text, from, &line, &column);
        *ret_host = str_dupz(a, host);
        return line;
    }
    return 0;
}

static void
look_into_committed(Doctor *d, const char *name)
{
    Str text;
    Err ignored;
    const char *host;
    if (is_example(name) || !fs_read(d->arena, fs_join(d->arena, d->config->project_dir, name),
                                     SCAN_MAX, &text, &ignored))
        return;
    int line = password_line(d->arena, text, &host);
    if (!line)
        return;
    Finding *f = doctor_add(
        d, FINDING_CONFIG_COMMITTED, SEV_ERROR, NULL,
        "change the password on the server (git keeps the old file for ever), put the URL "
        "into the environment or an ignored file",
        "is in git and holds the password of a database on %s",
        str_printable(d->arena, str_of(host), false));
    f->path = name;
    f->line = line;
}

static void
not_ignored(Doctor *d, const char *name, const char *by, bool is_data)
{
    doctor_add(d, FINDING_CONFIG_NOT_IGNORED, SEV_WARNING, name,
               str_fmt(d->arena, "echo %s >> %s",
                       str_shell(d->arena, is_data ? str_fmt(d->arena, "%s/", name) : name), by),
               "%s is not listed in %s: %s",
               is_data ? "the backups folder" : "it may hold passwords and", by,
               by[1] == 'g' ? "the next commit may take it along" : "images may carry it");
}

/* git's word for each candidate: "H name" is committed, "? name" neither committed nor ignored. */
static void
take_git(Doctor *d, Str said)
{
    bool told_backups = false;
    const char *backups = backups_below(d);
    size_t n_backups = backups ? strlen(backups) : 0;
    for (size_t i = 0; i < said.n;) {
        const char *entry = said.p + i;
        size_t n = strnlen(entry, said.n - i);
        i += n + 1;
        if (n < 3 || entry[1] != ' ')
            continue;
        const char *name = str_dup(d->arena, (Str){entry + 2, n - 2});
        bool is_backup =
            n_backups && strncmp(name, backups, n_backups) == 0 && name[n_backups] == '/';
        if (is_backup && told_backups)
            continue;
        told_backups |= is_backup;
        if (entry[0] == '?' && (is_backup || is_env_file(name)))
            not_ignored(d, is_backup ? backups : name, ".gitignore", is_backup);
        else if (is_backup)
            doctor_add(d, FINDING_CONFIG_COMMITTED, SEV_ERROR, name,
                       str_fmt(d->arena, "git rm --cached -r %s; echo %s/ >> .gitignore",
                               str_shell(d->arena, backups), str_shell(d->arena, backups)),
                       "is in git: backups hold the rows of your users");
        else if (entry[0] != '?')
            look_into_committed(d, name);
    }
}

static void
look_at_git(Doctor *d)
{
    const Config *c = d->config;
    Names names = candidates(d);
    if (!names.n || !is_in_git(d->arena, c->project_dir))
        return;
    VEC(const char *) argv = {0};
    /* core.fsmonitor may name a program of the repository's. */
    static const char *const head[] = {
        "-c",       "core.fsmonitor=false", "ls-files", "-t", "-z", "--cached",
        "--others", "--exclude-standard",   "--"};
    *vec_add(d->arena, &argv) = "git";
    *vec_add(d->arena, &argv) = "-C";
    *vec_add(d->arena, &argv) = c->project_dir;
    for (size_t i = 0; i < COUNT(head); i++)
        *vec_add(d->arena, &argv) = head[i];
    vec_each (const char *const, n, &names)
        *vec_add(d->arena, &argv) = *n;
    *vec_add(d->arena, &argv) = NULL;
    Str said;
    if (doctor_run(d, argv.v, &said))
        take_git(d, said);
    else
        doctor_add(d, FINDING_CONFIG_GIT, SEV_NOTICE, NULL, NULL,
                   "git could not be asked whether secrets are committed");
}

static bool
is_listed(Str list, const char *name)
{
    for (Str rest = list; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        while (line.n && (line.p[0] == '/' || str_starts(line, STR("**/"))))
            line = str_slice(line, line.p[0] == '/' ? 1 : 3, line.n);
        while (line.n && (line.p[line.n - 1] == '/' || str_ends(line, STR("/**"))))
            line.n -= line.p[line.n - 1] == '/' ? 1 : 3;
        ARENA_LOCAL(a);
        if (line.n && line.p[0] != '#' && fnmatch(str_dup(a, line), name, 0) == 0)
            return true;
    }
    return false;
}

static void
look_at_docker(Doctor *d)
{
    const char *dir = d->config->project_dir;
    Arena *a = d->arena;
    if (!fs_exists(fs_join(a, dir, "Dockerfile")))
        return;
    bool there;
    Str list = {0};
    Err ignored;
    if (!fs_read_if_there(a, fs_join(a, dir, ".dockerignore"), &there, &list, &ignored))
        return;
    if (!there)
        list = STR("");
    const char *const names[] = {".env", backups_below(d)};
    for (size_t i = 0; i < 2; i++)
        if (names[i] && fs_exists(fs_join(a, dir, names[i])) && !is_listed(list, names[i]))
            not_ignored(d, names[i], ".dockerignore", i == 1);
}

static void
look_at_backups(Doctor *d)
{
    struct stat st;
    const char *dir = d->config->values[CFG_BACKUP_DIR].text;
    const char *shown = dir ? str_shell(d->arena, fs_below(d->config->project_dir, dir)) : "";
    if (!dir || stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return;
    if (st.st_mode & 077)
        doctor_add(d, FINDING_CONFIG_BACKUPS, SEV_WARNING, shown,
                   str_fmt(d->arena, "chmod 700 %s", shown),
                   "other users of this machine may look into it (mode %03o)",
                   (unsigned)st.st_mode & 0777);
    FsEntryVec list = {0};
    Err ignored;
    int open = 0;
    if (!fs_list(d->arena, dir, &list, &ignored))
        return;
    vec_each (const FsEntry, e, &list)
        open += e->kind == FS_FILE && stat(fs_join(d->arena, dir, e->name), &st) == 0 &&
                (st.st_mode & 044);
    if (open)
        doctor_add(d, FINDING_CONFIG_BACKUPS, SEV_WARNING, shown,
                   str_fmt(d->arena, "chmod 600 %s/*", shown),
                   "other users of this machine may read %s in it",
                   str_count(d->arena, open, "file"));
}

void
doctor_config(Doctor *d)
{
    d->now = AREA_CONFIG;
    look_at_files(d);
    look_at_environment(d);
    look_at_urls(d);
    look_at_git(d);
    look_at_docker(d);
    look_at_backups(d);
}
