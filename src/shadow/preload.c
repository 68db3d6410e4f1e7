/* What only works on a server that was started with its library. */
#include "shadow/shadow_int.h"

const char *const cluster_preloads[] = {"pgaudit", "pg_cron",     "pglogical", "pg_stat_monitor",
                                        "citus",   "timescaledb", "pgsodium",  NULL};

const char *const *
cluster_preload_settings(Arena *a, const char *const *libraries, size_t n, const char *database)
{
    enum { PRELOAD, DATABASE, JOBS, SETTINGS };
    Buf b;
    if (!n)
        return NULL;
    buf_init(&b, a);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%s%s", i ? "," : "shared_preload_libraries=", libraries[i]);
    const char **settings = arena_array(a, const char *, SETTINGS + 1);
    settings[PRELOAD] = buf_finish(&b).p;
    settings[DATABASE] = str_fmt(a, "cron.database_name=%s", database);
    settings[JOBS] = "cron.launch_active_jobs=off";
    return settings;
}
