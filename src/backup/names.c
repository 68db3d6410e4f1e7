#include "backup/names.h"

#include "base/clock.h"
#include "base/fs.h"

#include <time.h>

enum { NAME_MAX_BYTES = 100, TRIES = 1000 };

/* What begins the names of a backup's files, where nobody named it; its id comes behind. */
static const char *const prefixes[BACKUP_PARTS] = {[BACKUP_DATA] = "db-backup-",
                                                   [BACKUP_SCHEMA] = "schema-backup-",
                                                   [BACKUP_MANIFEST] = "backup-"};

bool
backup_name_is(BackupPart part, Str file)
{
    return str_starts(file, str_of(prefixes[part]));
}

/* strftime's conversions of date and time; a format that is no literal is nothing for it. */
static bool
add_time(Buf *b, char conversion, const struct tm *tm)
{
    static const char letters[] = "mdHMSj";
    const int values[] = {tm->tm_mon + 1, tm->tm_mday, tm->tm_hour,
                          tm->tm_min,     tm->tm_sec,  tm->tm_yday + 1};
    const char *at = conversion ? strchr(letters, conversion) : NULL;
    if (conversion == 'Y')
        buf_fmt(b, "%04d", tm->tm_year + 1900);
    else if (at)
        buf_fmt(b, conversion == 'j' ? "%03d" : "%02d", values[at - letters]);
    return conversion == 'Y' || at;
}

static bool
expand(Arena *a, const char *pattern, int64_t wall_us, const char **ret, Err *err)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    Buf b;
    buf_init(&b, a);
    bool ok = true;
    for (const char *p = pattern; ok && *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("._-+@", *p);
        if (plain)
            buf_addc(&b, *p);
        else
            ok = *p == '%' && add_time(&b, *++p, &tm);
    }
    if (!ok || !b.n || b.n > NAME_MAX_BYTES || b.p[0] == '.' || b.p[0] == '-') {
        err_set(err, ERR_USAGE, "\"%.100s\" makes no name for a backup",
                str_printable(a, str_of(pattern), false));
        return err_hint(err, "letters, digits and \"._-+@\", with %%Y %%m %%d %%H %%M %%S for the "
                             "time (UTC): --name 'backup-%%Y%%m%%d-%%H%%M'");
    }
    *ret = b.p;
    return true;
}

static bool
is_free(Arena *a, const char *dir, const BackupStems *stems)
{
    FsEntryVec list;
    Err ignored;
    if (!fs_list(a, dir, &list, &ignored))
        return true;
    vec_each (const FsEntry, e, &list)
        for (int i = 0; i < BACKUP_PARTS; i++)
            if (str_starts(str_of(e->name), str_of(str_fmt(a, "%s.", stems->of[i]))))
                return false;
    return true;
}

bool
backup_name_choose(Arena *a, const char *pattern, const char *dir, int64_t wall_us,
                   BackupStems *ret, Err *err)
{
    const char *base = NULL;
    if (pattern && !expand(a, pattern, wall_us, &base, err))
        return false;
    const char *stamp = clock_stamp(a, wall_us);
    for (int i = 1; i < TRIES; i++) {
        const char *more = i == 1 ? "" : str_fmt(a, "-%d", i);
        ret->id = str_fmt(a, "%s%s", base ? base : stamp, more);
        for (int part = 0; part < BACKUP_PARTS; part++)
            ret->of[part] = base ? ret->id : str_fmt(a, "%s%s", prefixes[part], ret->id);
        if (is_free(a, dir, ret))
            return true;
    }
    return err_set(err, ERR_BACKUP, "too many backups of the same name in \"%s\"", dir);
}
