#include "sqltext/sqltext_int.h"

/* Statements that the server refuses in a transaction block: PreventInTransactionBlock() in
 * src/backend (tcop/utility.c, commands), PostgreSQL 13 to 18; REPACK is PostgreSQL 19's. */

static bool
is_off(const SqlWords *w)
{
    return sql_words_at(w, "false") || sql_words_at(w, "off") || sql_words_at(w, "no") ||
           (w->tok.kind == SQL_TOK_NUMBER && w->tok.len == 1 && w->text.p[w->tok.off] == '0');
}

/* Whether the option list that begins at the current "(" turns on `option` (a name without a
 * value is on). Steps behind the list. */
static bool
option_is_on(SqlWords *w, const char *option)
{
    bool on = false;
    SqlWords end = *w;
    sql_words_skip_parens(&end);
    if (w->tok.c != '(')
        return false;
    while (w->tok.off < end.tok.off && !sql_words_end(w)) {
        if (sql_words_accept(w, option))
            on = !is_off(w);
        else
            sql_words_next(w);
    }
    *w = end;
    return on;
}

/* Whether the rest says `option` = off, anywhere. */
static bool
rest_turns_off(SqlWords w, const char *option)
{
    while (!sql_words_end(&w)) {
        if (!sql_words_accept(&w, option)) {
            sql_words_next(&w);
            continue;
        }
        if (w.tok.c == '=')
            sql_words_next(&w);
        if (is_off(&w))
            return true;
    }
    return false;
}

/* Step to the first of `word` outside of parentheses; false at the end. */
static bool
find_word(SqlWords *w, const char *word)
{
    while (!sql_words_end(w)) {
        if (sql_words_at(w, word))
            return true;
        sql_words_skip(w);
    }
    return false;
}

static void
set_concurrent(SqlStmt *s, const char *tag)
{
    s->is_concurrent = true;
    s->tx = SQL_TX_NEVER;
    s->tag = tag;
}

static void
create_index(SqlWords *w, SqlStmt *s)
{
    s->kind = SQL_CREATE_INDEX;
    s->tag = s->is_unique ? "CREATE UNIQUE INDEX" : "CREATE INDEX";
    if (sql_words_accept(w, "concurrently"))
        set_concurrent(s, s->is_unique ? "CREATE UNIQUE INDEX CONCURRENTLY"
                                       : "CREATE INDEX CONCURRENTLY");
    s->if_exists = sql_words_accept_if_exists(w);
    if (!sql_words_at(w, "on"))
        s->index = sql_words_name(w);
    if (!sql_words_accept(w, "on"))
        return;
    sql_words_accept(w, "only");
    s->table = sql_words_name(w);
    s->index.schema = s->table.schema;
}

static void
read_create(SqlWords *w, SqlStmt *s)
{
    bool replace;
    sql_words_skip_modifiers(w, &s->is_unique, &replace);
    const SqlObjectType *type = sql_words_type(w);
    if (!type)
        return;
    s->tag = str_fmt(w->arena, "CREATE %s", type->words);
    if (str_is(str_of(type->words), "INDEX")) {
        create_index(w, s);
        return;
    }
    s->is_unique = false;
    s->if_exists = sql_words_accept_if_exists(w);
    if (str_is(str_of(type->words), "TABLE")) {
        s->kind = SQL_CREATE_TABLE;
        s->table = sql_words_name(w);
    } else if (str_is(str_of(type->words), "DATABASE") ||
               str_is(str_of(type->words), "TABLESPACE")) {
        s->tx = SQL_TX_NEVER;
    } else if (str_is(str_of(type->words), "SUBSCRIPTION")) {
        /* Only the form that makes a slot on the publisher is refused. */
        if (!rest_turns_off(*w, "connect") && !rest_turns_off(*w, "create_slot"))
            s->tx = SQL_TX_NEVER;
    }
}

static void
read_drop(SqlWords *w, SqlStmt *s)
{
    s->kind = SQL_DROP;
    const SqlObjectType *type = sql_words_type(w);
    if (!type)
        return;
    s->tag = str_fmt(w->arena, "DROP %s", type->words);
    if (type->kind == SQL_OBJ_INDEX) {
        s->kind = SQL_DROP_INDEX;
        if (sql_words_accept(w, "concurrently"))
            set_concurrent(s, "DROP INDEX CONCURRENTLY");
    } else if (str_is(str_of(type->words), "DATABASE") ||
               str_is(str_of(type->words), "TABLESPACE") ||
               str_is(str_of(type->words), "SUBSCRIPTION")) {
        s->tx = SQL_TX_NEVER;
    }
    s->if_exists = sql_words_accept_if_exists(w);
    SqlName name = sql_words_name(w);
    if (type->kind == SQL_OBJ_INDEX)
        s->index = name;
    else if (type->kind == SQL_OBJ_TABLE)
        s->table = name;
}

static void
alter_table(SqlWords *w, SqlStmt *s)
{
    s->kind = SQL_ALTER_TABLE;
    s->if_exists = sql_words_accept_if_exists(w);
    sql_words_accept(w, "only");
    if (!sql_words_at(w, "all")) /* ALL IN TABLESPACE; as a name it needs quotes */
        s->table = sql_words_name(w);
    if (w->tok.c == '*')
        sql_words_next(w);
    if (sql_words_at(w, "rename")) {
        s->kind = SQL_RENAME;
    } else if (sql_words_accept(w, "detach")) {
        s->kind = SQL_DETACH_PARTITION;
        s->parent = s->table;
        sql_words_accept(w, "partition");
        s->table = sql_words_name(w);
        if (sql_words_at(w, "concurrently"))
            set_concurrent(s, "ALTER TABLE DETACH PARTITION CONCURRENTLY");
    }
}

static void
alter_type(SqlWords *w, SqlStmt *s)
{
    sql_words_name(w);
    if (sql_words_accept(w, "add") && sql_words_accept(w, "value")) {
        s->kind = SQL_ALTER_TYPE_ADD_VALUE;
        s->tag = "ALTER TYPE ADD VALUE";
        s->if_exists = sql_words_accept_if_exists(w);
    }
}

static bool
refreshes_subscription(SqlWords w)
{
    sql_words_name(&w);
    if (sql_words_at(&w, "refresh"))
        return true;
    bool changes = (sql_words_accept(&w, "set") || sql_words_accept(&w, "add") ||
                    sql_words_accept(&w, "drop")) &&
                   sql_words_at(&w, "publication");
    return changes && !rest_turns_off(w, "refresh");
}

static void
read_alter(SqlWords *w, SqlStmt *s)
{
    const SqlObjectType *type = sql_words_type(w);
    if (!type)
        return;
    s->tag = str_fmt(w->arena, "ALTER %s", type->words);
    Str words = str_of(type->words);
    if (str_is(words, "TABLE")) {
        alter_table(w, s);
        return;
    }
    s->if_exists = sql_words_accept_if_exists(w);
    SqlWords rest = *w;
    sql_words_name(&rest);
    if (str_is(words, "SYSTEM"))
        s->tx = SQL_TX_NEVER;
    else if (str_is(words, "DATABASE") && sql_words_accept(&rest, "set") &&
             sql_words_at(&rest, "tablespace"))
        s->tx = SQL_TX_NEVER;
    else if (str_is(words, "SUBSCRIPTION") && refreshes_subscription(*w))
        s->tx = SQL_TX_NEVER;
    else if (str_is(words, "TYPE"))
        alter_type(w, s);
    if (find_word(&rest, "rename"))
        s->kind = SQL_RENAME;
}

static void
read_reindex(SqlWords *w, SqlStmt *s)
{
    s->kind = SQL_REINDEX;
    bool concurrent = option_is_on(w, "concurrently");
    const SqlObjectType *type = sql_words_type(w);
    const char *what = type ? type->words : "";
    concurrent = sql_words_accept(w, "concurrently") || concurrent;
    s->tag = type ? str_fmt(w->arena, "REINDEX %s", what) : "REINDEX";
    if (concurrent)
        set_concurrent(s, str_fmt(w->arena, "%s CONCURRENTLY", s->tag));
    SqlName name = sql_words_name(w);
    if (str_is(str_of(what), "INDEX"))
        s->index = name;
    else if (str_is(str_of(what), "TABLE"))
        s->table = name;
    else
        s->tx = SQL_TX_NEVER;
    if (str_is(str_of(what), "SCHEMA"))
        s->table.schema = name.name;
}

/* BEGIN's modes in its own words, one space between two. */
static const char *
transaction_modes(SqlWords *w)
{
    Buf b;
    buf_init(&b, w->arena);
    for (; !sql_words_end(w); sql_words_next(w)) {
        if (b.n && w->tok.c != ',')
            buf_addc(&b, ' ');
        buf_add(&b, str_slice(w->text, w->tok.off, w->tok.off + w->tok.len));
    }
    return b.p;
}

static void
read_begin(SqlWords *w, SqlStmt *s)
{
    s->tx = SQL_TX_BEGIN;
    if (!sql_words_accept(w, "work"))
        sql_words_accept(w, "transaction");
    if (!sql_words_end(w))
        s->isolation = transaction_modes(w);
}

static void
read_end(SqlWords *w, SqlStmt *s)
{
    if (!sql_words_accept(w, "work"))
        sql_words_accept(w, "transaction");
    if (sql_words_at(w, "prepared"))
        s->tx = SQL_TX_PREPARE;
    else if (sql_words_at(w, "to"))
        s->tx = SQL_TX_ANY;
    else if (sql_words_accept(w, "and"))
        s->is_chain = sql_words_at(w, "chain");
}

static void
read_prepare(SqlWords *w, SqlStmt *s)
{
    if (!sql_words_at(w, "transaction"))
        return;
    s->kind = SQL_TRANSACTION;
    s->tx = SQL_TX_PREPARE;
    s->tag = "PREPARE TRANSACTION";
}

static void
read_set(SqlWords *w, SqlStmt *s)
{
    s->changes_session = !sql_words_at(w, "local") && !sql_words_at(w, "constraints") &&
                         !sql_words_at(w, "transaction");
}

static void
read_reset(SqlWords *w, SqlStmt *s)
{
    (void)w;
    s->changes_session = true;
}

static void
read_discard(SqlWords *w, SqlStmt *s)
{
    s->changes_session = true;
    if (sql_words_at(w, "all"))
        s->tx = SQL_TX_NEVER;
}

/* CLUSTER and REPACK without a table go through the whole database. */
static void
read_cluster(SqlWords *w, SqlStmt *s)
{
    bool concurrent = option_is_on(w, "concurrently");
    sql_words_accept(w, "verbose");
    s->table = sql_words_name(w);
    if (concurrent || !*s->table.name)
        s->tx = SQL_TX_NEVER;
}

static void
read_copy(SqlWords *w, SqlStmt *s)
{
    s->is_dml = find_word(w, "from");
    s->tag = s->is_dml ? "COPY FROM" : "COPY TO";
}

/* The statement behind the common table expressions. */
static void
read_with(SqlWords *w, SqlStmt *s)
{
    static const struct {
        const char *word, *tag;
        SqlKind kind;
    } verbs[] = {
        {"select", "SELECT", SQL_SELECT}, {"insert", "INSERT", SQL_INSERT},
        {"update", "UPDATE", SQL_UPDATE}, {"delete", "DELETE", SQL_DELETE},
        {"merge", "MERGE", SQL_MERGE},    {"values", "SELECT", SQL_SELECT},
        {"table", "SELECT", SQL_SELECT},
    };
    sql_words_accept(w, "recursive");
    bool behind_list = false;
    while (!sql_words_end(w)) {
        /* The verb follows the parenthesis that ends the last expression. */
        for (size_t i = 0; behind_list && i < COUNT(verbs); i++) {
            if (sql_words_at(w, verbs[i].word)) {
                s->kind = verbs[i].kind;
                s->tag = verbs[i].tag;
                s->is_dml = s->kind != SQL_SELECT;
                return;
            }
        }
        if (w->tok.c == '(') {
            sql_words_skip_parens(w);
            behind_list = true;
        } else {
            /* SEARCH and CYCLE clauses hold no verb of these. */
            behind_list = behind_list && w->tok.c != ',' && !sql_words_at(w, "as");
            sql_words_next(w);
        }
    }
}

static void
read_refresh(SqlWords *w, SqlStmt *s)
{
    const SqlObjectType *type = sql_words_type(w);
    if (!type)
        return;
    s->is_concurrent = sql_words_at(w, "concurrently");
    s->tag =
        s->is_concurrent ? "REFRESH MATERIALIZED VIEW CONCURRENTLY" : "REFRESH MATERIALIZED VIEW";
}

typedef struct Verb {
    const char *word;
    const char *tag;
    SqlKind kind;
    SqlTxMode tx;
    bool is_dml;
    void (*read)(SqlWords *w, SqlStmt *s); /* the words behind it, may be NULL */
} Verb;

static const Verb verbs[] = {
    {"alter", "ALTER", SQL_OTHER, SQL_TX_ANY, false, read_alter},
    {"create", "CREATE", SQL_OTHER, SQL_TX_ANY, false, read_create},
    {"drop", "DROP", SQL_DROP, SQL_TX_ANY, false, read_drop},
    {"insert", "INSERT", SQL_INSERT, SQL_TX_ANY, true, NULL},
    {"update", "UPDATE", SQL_UPDATE, SQL_TX_ANY, true, NULL},
    {"delete", "DELETE", SQL_DELETE, SQL_TX_ANY, true, NULL},
    {"merge", "MERGE", SQL_MERGE, SQL_TX_ANY, true, NULL},
    {"select", "SELECT", SQL_SELECT, SQL_TX_ANY, false, NULL},
    {"values", "SELECT", SQL_SELECT, SQL_TX_ANY, false, NULL},
    {"table", "SELECT", SQL_SELECT, SQL_TX_ANY, false, NULL},
    {"with", "WITH", SQL_OTHER, SQL_TX_ANY, false, read_with},
    {"copy", "COPY", SQL_COPY, SQL_TX_ANY, false, read_copy},
    {"call", "CALL", SQL_CALL, SQL_TX_HIDDEN, false, NULL},
    {"do", "DO", SQL_DO, SQL_TX_HIDDEN, false, NULL},
    {"truncate", "TRUNCATE TABLE", SQL_TRUNCATE, SQL_TX_ANY, false, NULL},
    {"lock", "LOCK TABLE", SQL_LOCK, SQL_TX_ANY, false, NULL},
    {"begin", "BEGIN", SQL_TRANSACTION, SQL_TX_BEGIN, false, read_begin},
    {"start", "START TRANSACTION", SQL_TRANSACTION, SQL_TX_BEGIN, false, read_begin},
    {"commit", "COMMIT", SQL_TRANSACTION, SQL_TX_COMMIT, false, read_end},
    {"end", "COMMIT", SQL_TRANSACTION, SQL_TX_COMMIT, false, read_end},
    {"rollback", "ROLLBACK", SQL_TRANSACTION, SQL_TX_ROLLBACK, false, read_end},
    {"abort", "ROLLBACK", SQL_TRANSACTION, SQL_TX_ROLLBACK, false, read_end},
    {"savepoint", "SAVEPOINT", SQL_TRANSACTION, SQL_TX_ANY, false, NULL},
    {"release", "RELEASE", SQL_TRANSACTION, SQL_TX_ANY, false, NULL},
    {"prepare", "PREPARE", SQL_OTHER, SQL_TX_ANY, false, read_prepare},
    {"set", "SET", SQL_SET, SQL_TX_ANY, false, read_set},
    {"reset", "RESET", SQL_SET, SQL_TX_ANY, false, read_reset},
    {"discard", "DISCARD", SQL_SET, SQL_TX_ANY, false, read_discard},
    {"reindex", "REINDEX", SQL_REINDEX, SQL_TX_ANY, false, read_reindex},
    {"vacuum", "VACUUM", SQL_VACUUM, SQL_TX_NEVER, false, NULL},
    {"cluster", "CLUSTER", SQL_OTHER, SQL_TX_ANY, false, read_cluster},
    {"repack", "REPACK", SQL_OTHER, SQL_TX_ANY, false, read_cluster},
    {"refresh", "REFRESH MATERIALIZED VIEW", SQL_OTHER, SQL_TX_ANY, false, read_refresh},
    {"analyse", "ANALYZE", SQL_OTHER, SQL_TX_ANY, false, NULL},
    {"security", "SECURITY LABEL", SQL_OTHER, SQL_TX_ANY, false, NULL},
    {"reassign", "REASSIGN OWNED", SQL_OTHER, SQL_TX_ANY, false, NULL},
    {"import", "IMPORT FOREIGN SCHEMA", SQL_OTHER, SQL_TX_ANY, false, NULL},
};

/* The first word in capitals, for the statements that are not in the table. */
static const char *
plain_tag(const SqlWords *w)
{
    if (w->tok.kind != SQL_TOK_WORD || w->tok.len > 20)
        return "SQL";
    char *tag = str_dup(w->arena, str_slice(w->text, w->tok.off, w->tok.off + w->tok.len));
    for (char *p = tag; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 32);
    return tag;
}

/* Calls that change the session from anywhere in a statement. */
static bool
calls_session_function(Str text)
{
    static const Str names[] = {{"set_config", 10}, {"pg_advisory", 11}};
    for (size_t i = 0; i < text.n; i++) {
        char c = (char)(text.p[i] | 32);
        if (c != 's' && c != 'p')
            continue;
        Str name = names[c == 'p'];
        if (text.n - i >= name.n && str_ieq(str_slice(text, i, i + name.n), name))
            return true;
    }
    return false;
}

void
sql_head_read(Arena *a, Str text, SqlStmt *stmt)
{
    SqlWords w = sql_words(a, text, stmt);
    while (w.tok.c == '(')
        sql_words_next(&w);
    const Verb *verb = NULL;
    for (size_t i = 0; !verb && i < COUNT(verbs); i++)
        if (sql_words_at(&w, verbs[i].word))
            verb = &verbs[i];
    if (verb) {
        stmt->kind = verb->kind;
        stmt->tx = verb->tx;
        stmt->tag = verb->tag;
        stmt->is_dml = verb->is_dml;
        sql_words_next(&w);
        if (verb->read)
            verb->read(&w, stmt);
    } else {
        stmt->tag = plain_tag(&w);
    }
    if (calls_session_function(str_slice(text, stmt->off, stmt->off + stmt->len)))
        stmt->changes_session = true;
}
