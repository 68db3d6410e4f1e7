/* Programs: of PostgreSQL on this machine, and of the project. Programs of the project are looked
 * at, never run. */
#include "doctor/doctor_int.h"

#include "backup/tools.h"
#include "base/fs.h"
#include "base/jr.h"
#include "base/library.h"
#include "base/os.h"
#include "project/project.h"

#include <unistd.h>

/* ---- PostgreSQL's clients -------------------------------------------------------------------- */

typedef struct Program {
    const char *path, *version; /* "15.20" */
    int major;
} Program;

/* The number in "pg_dump (PostgreSQL) 15.20 (Debian ...)" and "v20.19.0". */
static bool
ask_version(Doctor *d, Program *p)
{
    const char *argv[] = {p->path, "--version", NULL};
    Str out;
    if (!doctor_run(d, argv, &out))
        return false;
    size_t i = 0;
    while (i < out.n && !(out.p[i] >= '0' && out.p[i] <= '9'))
        i++;
    size_t end = i;
    while (end < out.n && strchr("0123456789.", out.p[end]))
        end++;
    p->version = str_dup(d->arena, str_slice(out, i, end));
    for (const char *c = p->version; *c >= '0' && *c <= '9' && p->major < 10000; c++)
        p->major = p->major * 10 + (*c - '0');
    return p->major > 0;
}

static const char *
in_path(Arena *a, const char *name)
{
    for (Str rest = str_of(os_env("PATH")); rest.p;) {
        Str dir = str_cut(&rest, ':');
        if (!dir.n || dir.p[0] != '/')
            continue;
        const char *path = fs_join(a, str_dup(a, dir), name);
        if (fs_kind(path) == FS_FILE && access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

/* As backup and restore find them. */
static void
look_at_client(Doctor *d, FindingId id, const char *name, int server_major)
{
    const Config *c = d->config;
    PgProgram p;
    Err err;
    if (backup_find_tool(d->arena, name, c->values[CFG_BACKUP_BIN].text, server_major, &p, &err)) {
        doctor_add(d, id, SEV_OK, name, NULL, "%s (%s)", p.version,
                   str_printable(d->arena, str_of(p.path), false));
        return;
    }
    const char *method = c->values[CFG_BACKUP_METHOD].text;
    bool is_needed = id == FINDING_TOOL_DUMP && method && strcmp(method, "pg_dump") == 0;
    doctor_add(d, id, is_needed ? SEV_ERROR : SEV_NOTICE, name, str_dupz(d->arena, err.hint),
               "%s%s%s%s", err.primary, err.detail[0] ? ": " : "", err.detail,
               id == FINDING_TOOL_DUMP && !is_needed ? "; backups are then made by Aramid itself"
                                                     : "");
}

/* ---- of the project -------------------------------------------------------------------------- */

/* "version" of a package.json that its tool wrote. */
static const char *
package_version(Doctor *d, const char *folder)
{
    Str text;
    Err ignored;
    if (!fs_read(d->arena, fs_join(d->arena, folder, "package.json"), 1024 * 1024, &text, &ignored))
        return NULL;
    JsonReader r;
    const char *version = NULL;
    jr_init(&r, d->arena, text);
    jr_object(&r);
    for (Str key; jr_key(&r, &key);)
        if (str_is(key, "version"))
            version = jr_str(&r).p;
        else
            jr_skip(&r);
    return jr_done(&r) && version ? str_printable(d->arena, str_of(version), false) : NULL;
}

/* A package in node_modules of the project, or of a folder above (a monorepo). */
static const char *
find_package(Doctor *d, const char *name, const char **ret_version)
{
    for (const char *dir = d->config->project_dir;; dir = fs_dirname(d->arena, dir)) {
        const char *folder = str_fmt(d->arena, "%s/node_modules/%s", dir, name);
        if (fs_kind(folder) == FS_DIR) {
            *ret_version = package_version(d, folder);
            return folder;
        }
        if (strcmp(dir, "/") == 0 || !dir[0])
            return NULL;
    }
}

static void
look_at_packages(Doctor *d)
{
    static const char *const names[] = {"prisma", "drizzle-kit", "supabase"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *version = NULL;
        const char *folder = find_package(d, names[i], &version);
        if (!folder)
            continue;
        bool is_8 = i == 0 && version && (version[0] == '8' && version[1] == '.');
        doctor_add(d, FINDING_TOOL_PROJECT, is_8 ? SEV_WARNING : SEV_OK, names[i],
                   is_8 ? "Aramid reads the folders of Prisma 2 to 7" : NULL, "%s (%s)",
                   version ? version : "its version is not known",
                   fs_below(d->config->project_dir, folder));
    }
}

static void
look_at_lock_files(Doctor *d, const Project *p)
{
    static const char *const locks[] = {"pnpm-lock.yaml", "yarn.lock", "bun.lock",
                                        "package-lock.json"};
    Buf found;
    int n = 0;
    buf_init(&found, d->arena);
    for (size_t i = 0; i < COUNT(locks); i++)
        if (fs_exists(fs_join(d->arena, d->config->project_dir, locks[i])))
            buf_fmt(&found, "%s%s", n++ ? ", " : "", locks[i]);
    if (n > 1)
        doctor_add(d, FINDING_TOOL_NODE, SEV_WARNING, "package manager",
                   "keep one lock file and delete the others",
                   "lock files of several are there: %s", found.p);
    else
        doctor_add(d, FINDING_TOOL_NODE, SEV_OK, "package manager", NULL, "%s (%s)%s", p->manager,
                   p->manager_evidence ? p->manager_evidence : "nothing tells of another",
                   in_path(d->arena, p->manager) ? "" : ", which is not installed here");
}

static void
look_at_node(Doctor *d)
{
    Project p;
    Err ignored;
    if (!project_detect(d->arena, d->config->project_dir, &p, &ignored) || !p.has_package)
        return;
    Program node = {.path = in_path(d->arena, "node")};
    if (node.path && ask_version(d, &node))
        doctor_add(d, FINDING_TOOL_NODE, SEV_OK, "node", NULL, "%s (%s)", node.version, node.path);
    else
        doctor_add(d, FINDING_TOOL_NODE, SEV_NOTICE, "node", NULL,
                   "not found; Aramid needs none, generators of the schema do");
    look_at_lock_files(d, &p);
}

/* What those lose who run a program of the packages, and how it shows. */
static void
look_at_linkage(Doctor *d)
{
    const char *linkage = library_linkage();
    if (strcmp(linkage, "shared") == 0)
        doctor_add(d, FINDING_TOOL_LINKED, SEV_OK, "aramid", NULL,
                   "libraries of this machine are loaded when a command needs them");
    else
        doctor_add(
            d, FINDING_TOOL_LINKED, SEV_OK, "aramid", NULL,
            "libpq, OpenSSL and PostgreSQL's parser are linked in: no Kerberos (GSSAPI), no LDAP, "
            "openssl.cnf is not read%s",
            strcmp(linkage, "static") == 0
                ? "; hosts and users are looked up in /etc and by DNS only, not by LDAP, SSSD, mDNS"
                : "");
}

void
doctor_tools(Doctor *d, int server_version)
{
    d->now = AREA_TOOLS;
    int major = server_version / 10000;
    look_at_linkage(d);
    look_at_client(d, FINDING_TOOL_DUMP, "pg_dump", major);
    look_at_client(d, FINDING_TOOL_RESTORE, "pg_restore", 0);
    look_at_client(d, FINDING_TOOL_PSQL, "psql", 0);
    PgBinaries b;
    Err err;
    if (cluster_find_binaries(d->arena, d->config->values[CFG_EMBEDDED_BIN].text, 0, &b, &err))
        doctor_add(d, FINDING_TOOL_SERVER, SEV_OK, "postgres", NULL, "%s (%s)", b.version,
                   b.bindir);
    else
        doctor_add(d, FINDING_TOOL_SERVER, SEV_NOTICE, "postgres", str_dupz(d->arena, err.hint),
                   "%s: no embedded database, and no replays of migrations (drift, check)",
                   err.primary);
    look_at_node(d);
    look_at_packages(d);
}
