#include "sqltext/sqltext_int.h"

#include <limits.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <string.h>

typedef PgQueryProtobufParseResult (*ParseFn)(const char *input);
typedef void (*FreeFn)(PgQueryProtobufParseResult result);
typedef PgQuery__ParseResult *(*UnpackFn)(ProtobufCAllocator *allocator, size_t len,
                                          const uint8_t *data);

typedef PgQuerySplitResult (*SplitFn)(const char *input);
typedef void (*FreeSplitFn)(PgQuerySplitResult result);

/* Apart from our own symbols: libpg_query exports many generic names (palloc, errmsg, ...). The layout
 * of the tree is that of this one version, so no other is tried. */
bool
sql_parser_open(SqlParser *ret)
{
    static const LibrarySymbol symbols[] = {
        LIBRARY_SYMBOL_AS(SqlParser, parse, pg_query_parse_protobuf),
        LIBRARY_SYMBOL_AS(SqlParser, free_result, pg_query_free_protobuf_parse_result),
        LIBRARY_SYMBOL_AS(SqlParser, unpack, pg_query__parse_result__unpack),
        LIBRARY_SYMBOL_AS(SqlParser, split, pg_query_split_with_parser),
        LIBRARY_SYMBOL_AS(SqlParser, free_split, pg_query_free_split_result),
    };
    static const Library query = {{"libpg_query.so.1504.0"},
                                  "PostgreSQL's parser",
                                  "libpg-query1504.0",
                                  symbols,
                                  COUNT(symbols)};
    *ret = (SqlParser){0};
    Err ignored;
    ret->is_there = library_load(&query, ret, &ignored);
    return ret->is_there;
}

bool
sql_parser_available(void)
{
    SqlParser parser;
    return sql_parser_open(&parser);
}

static void *
tree_alloc(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void
tree_free(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

/* The trees belong to our statements one by one: the parser's location of each lies behind the
 * statement before (blanks and comments included). */
static bool
trees_match(const PgQuery__ParseResult *trees, const SqlStmt *stmts, size_t n)
{
    if (!trees || trees->n_stmts != n)
        return false;
    size_t base = stmts[0].off;
    for (size_t i = 0; i < n; i++) {
        const PgQuery__RawStmt *raw = trees->stmts[i];
        size_t from = base + (size_t)raw->stmt_location;
        size_t to = raw->stmt_len ? from + (size_t)raw->stmt_len : SIZE_MAX;
        if (!raw->stmt || from > stmts[i].off || to < stmts[i].off + stmts[i].len)
            return false;
    }
    return true;
}

/* Whether all of it parses. The parser's own splitter is the one entry that builds no tree for
 * others to read, which costs ten times what parsing does. */
static bool
read_briefly(const SqlParser *parser, Arena *a, Str text, SqlStmt *stmts, size_t n)
{
    SplitFn split = (SplitFn)parser->split;
    FreeSplitFn free_split = (FreeSplitFn)parser->free_split;
    const SqlStmt *last = &stmts[n - 1];
    ARENA_LOCAL(scratch);
    PgQuerySplitResult result =
        split(str_dup(scratch, str_slice(text, stmts[0].off, last->off + last->len)));
    bool ok = !result.error && result.n_stmts == (int)n;
    free_split(result);
    for (size_t i = 0; ok && i < n; i++)
        sql_words_read(a, text, &stmts[i]);
    return ok;
}

bool
sql_parser_read(const SqlParser *parser, Arena *a, Str text, SqlStmt *stmts, size_t n)
{
    if (parser->brief)
        return read_briefly(parser, a, text, stmts, n);
    ParseFn parse = (ParseFn)parser->parse;
    FreeFn free_result = (FreeFn)parser->free_result;
    UnpackFn unpack = (UnpackFn)parser->unpack;
    const SqlStmt *last = &stmts[n - 1];
    ARENA_LOCAL(scratch);
    ProtobufCAllocator allocator = {tree_alloc, tree_free, scratch};
    const char *all = str_dup(scratch, str_slice(text, stmts[0].off, last->off + last->len));

    PgQueryProtobufParseResult result = parse(all);
    const PgQuery__ParseResult *trees = NULL;
    if (!result.error)
        trees = unpack(&allocator, result.parse_tree.len, (const uint8_t *)result.parse_tree.data);
    free_result(result);
    if (!trees_match(trees, stmts, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        sql_tree_read(a, trees->stmts[i]->stmt, &stmts[i]);
        if (!parser->actions)
            continue;
        SqlActionVec *list = &parser->actions[&stmts[i] - parser->batch];
        sql_actions_read(parser->lasting, trees->stmts[i]->stmt, &stmts[i], list);
        vec_each (SqlAction, x, list)
            x->off += stmts[0].off;
    }
    return true;
}
