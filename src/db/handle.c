/* What a connection is to those who hold it. */
#include "db/db_int.h"

void
db_drop(Db *db)
{
    if (!db->conn)
        return;
    db_trace_plain(db, "closed");
    db->pq.PQfinish(db->conn);
    db->conn = NULL;
}

const DbInfo *
db_info(const Db *db)
{
    return &db->info;
}

const DbRows *
db_asked(const Db *db)
{
    return db->asked;
}

bool
db_is_open(const Db *db)
{
    return db->conn != NULL;
}

void
db_set_tick(Db *db, DbTick tick, void *arg)
{
    db->opt.tick = tick;
    db->opt.tick_arg = arg;
}

char *
db_server_text(Arena *a, const DbInfo *info)
{
    return str_fmt(a, info->is_shared ? "PGlite (PostgreSQL %d.%d)" : "PostgreSQL %d.%d",
                   info->version / 10000, info->version % 10000);
}
