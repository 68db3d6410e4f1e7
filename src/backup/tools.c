#include "backup/tools.h"

static bool
not_found(Arena *a, const char *name, const char *bindir, int major, const PgProgramVec *list,
          Err *err)
{
    bool unasked = false;
    vec_each (const PgProgram, p, list)
        unasked = unasked || !p->major;
    if (unasked)
        err_set(err, ERR_NO_DUMP, "a %s is here, but could not be asked for its version", name);
    else if (!major)
        err_set(err, ERR_NO_DUMP, "no %s was found", name);
    else if (!list->n)
        err_set(err, ERR_NO_DUMP, "no %s was found; the server needs one of version %d or newer",
                name, major);
    else
        err_set(err, ERR_NO_DUMP, "no %s is new enough for a server of version %d", name, major);
    vec_each (const PgProgram, p, list)
        err_detail(err, "%s%s%s", str_printable(a, str_of(p->path), false),
                   p->major ? " is version " : ": ", p->major ? p->version : p->why);
    if (unasked)
        return err_hint(err, "what keeps it from running is with this machine (ulimit -a); then "
                             "the same command may be run again");
    const char *command = cluster_client_command(a, major);
    if (command)
        err_hint(err, "install it: %s", command);
    return err_hint(err, bindir && bindir[0]
                             ? "the setting backup.bin names the only folder that was searched"
                             : "or name its folder in the setting backup.bin (ARAMID_BACKUP_BIN)");
}

bool
backup_find_tool(Arena *a, const char *name, const char *bindir, int min_major, PgProgram *ret,
                 Err *err)
{
    PgProgramVec list = cluster_programs(a, name, bindir);
    const PgProgram *best = NULL;
    vec_each (const PgProgram, p, &list) {
        bool better = !best || (min_major ? p->major < best->major : p->major > best->major);
        if (p->major && p->major >= min_major && better)
            best = p;
    }
    if (!best)
        return not_found(a, name, bindir, min_major, &list, err);
    *ret = *best;
    return true;
}
