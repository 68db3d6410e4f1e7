#include "sqltext/sqltext_int.h"

#include "base/map.h"

#include <string.h>

const char *
sql_lock_mode_name(SqlLockMode mode)
{
    static const char *const names[] = {
        [SQL_LOCK_NONE] = "",
        [SQL_LOCK_ACCESS_SHARE] = "ACCESS SHARE",
        [SQL_LOCK_ROW_SHARE] = "ROW SHARE",
        [SQL_LOCK_ROW_EXCLUSIVE] = "ROW EXCLUSIVE",
        [SQL_LOCK_SHARE_UPDATE_EXCLUSIVE] = "SHARE UPDATE EXCLUSIVE",
        [SQL_LOCK_SHARE] = "SHARE",
        [SQL_LOCK_SHARE_ROW_EXCLUSIVE] = "SHARE ROW EXCLUSIVE",
        [SQL_LOCK_EXCLUSIVE] = "EXCLUSIVE",
        [SQL_LOCK_ACCESS_EXCLUSIVE] = "ACCESS EXCLUSIVE",
    };
    return (unsigned)mode < COUNT(names) ? names[mode] : "";
}

enum { LEVELS_MAX = 400, WEIGHT_MAX = 1000 };

/* One open parenthesis, bracket or CASE. `chain` counts what may stack up in the tree until the
 * next comma, `joins` what stacks up behind commas too; `inner` is the deepest part in the current
 * item, `best` the deepest finished item, `base` the weight of what lies around. */
typedef struct Level {
    size_t chain, joins, inner, best, base;
    size_t betweens; /* whose AND is still to come */
    bool is_case;
} Level;

static size_t
level_weight(const Level *level)
{
    size_t item = level->chain + level->inner;
    return level->joins + (item > level->best ? item : level->best);
}

static void
level_part(Level *level)
{
    level->best = level_weight(level) - level->joins;
    level->chain = level->inner = 0;
}

static bool
is_one_of(Str text, const SqlTok *tok, const char *const *words)
{
    for (; *words; words++)
        if (sql_tok_is(text, tok, *words))
            return true;
    return false;
}

/* Whether the tree of a statement may be so deep that reading it overflows the stack: libpg_query
 * and protobuf-c recurse without a limit of their own (1+1+1+... of 5,000 terms crashes them with
 * a stack of 8 MB). The weight of a statement is never less than the depth of its tree in tokens,
 * and a token makes three levels at most. */
static bool
is_too_deep(Str text, const SqlStmt *stmt)
{
    static const char *const joining[] = {"join", "union", "intersect", "except", NULL};
    static const char *const parting[] = {"and", "or", "when", "then", "else", NULL};
    if (stmt->len > SQL_PARSE_STMT_BYTES)
        return true;
    if (stmt->len < WEIGHT_MAX)
        return false;
    Level levels[LEVELS_MAX] = {{0}};
    Level *level = levels;
    SqlLexer lex = {.text = str_slice(text, 0, stmt->off + stmt->len), .pos = stmt->off};
    SqlTok tok, prev = {0};
    for (sql_lex_next(&lex, &tok); tok.kind != SQL_TOK_END; prev = tok, sql_lex_next(&lex, &tok)) {
        bool is_name = tok.kind != SQL_TOK_WORD || prev.c == '.';
        bool is_case = !is_name && sql_tok_is(text, &tok, "case");
        level->chain++;
        if (!is_name && sql_tok_is(text, &tok, "between")) {
            level->betweens++;
        } else if (level->betweens && !is_name && sql_tok_is(text, &tok, "and")) {
            level->betweens--;
        } else if (tok.c == '(' || tok.c == '[' || is_case) {
            if (level == &levels[LEVELS_MAX - 1])
                return true;
            level[1] =
                (Level){.base = level->base + level->chain + level->joins, .is_case = is_case};
            level++;
        } else if (level > levels && (level->is_case ? !is_name && sql_tok_is(text, &tok, "end")
                                                     : tok.c == ')' || tok.c == ']')) {
            size_t inner = level_weight(level);
            level--;
            if (level->inner < inner)
                level->inner = inner;
        } else if (tok.c == ',' || tok.c == ';' || (!is_name && is_one_of(text, &tok, parting))) {
            level_part(level);
        } else if (!is_name && is_one_of(text, &tok, joining)) {
            level->joins++;
            level_part(level);
        }
        if (level->base + level_weight(level) > WEIGHT_MAX)
            return true;
    }
    return false;
}

/* Relations that the script has made so far, by name. */
typedef struct Made {
    const char *schema;
    const struct Made *next;
} Made;

/* A name without a schema may be any: the search path is not known here. */
static bool
is_made(const Map *made, const SqlName *rel)
{
    for (const Made *m = map_get(made, str_of(rel->name)); m; m = m->next)
        if (!*m->schema || !*rel->schema || strcmp(m->schema, rel->schema) == 0)
            return true;
    return false;
}

static void
note_made(Map *made, const SqlStmt *stmt)
{
    vec_each (const SqlObject, o, &stmt->objects) {
        bool is_relation = o->kind == SQL_OBJ_TABLE || o->kind == SQL_OBJ_VIEW ||
                           o->kind == SQL_OBJ_INDEX || o->kind == SQL_OBJ_SEQUENCE;
        if (!is_relation || o->effect != SQL_CREATES || o->if_exists || is_made(made, &o->name))
            continue;
        Made *m = arena_new(made->arena, Made);
        *m = (Made){str_dupz(made->arena, o->name.schema), map_get(made, str_of(o->name.name))};
        map_put(made, str_copy(made->arena, str_of(o->name.name)), m);
    }
}

static void
drop_made_locks(const Map *made, SqlStmt *stmt)
{
    size_t kept = 0;
    for (size_t i = 0; i < stmt->locks.n; i++)
        if (!is_made(made, &stmt->locks.v[i].rel))
            stmt->locks.v[kept++] = stmt->locks.v[i];
    stmt->locks.n = kept;
}

/* Read the bodies of `n` statements: all at once when they all parse, else by halves, so that one
 * statement of newer syntax costs little. */
static void
read_bodies(const SqlParser *parser, Arena *a, Str text, SqlStmt *stmts, size_t n)
{
    if (n == 0 || (parser->is_there && sql_parser_read(parser, a, text, stmts, n)))
        return;
    if (n > 1 && parser->is_there) {
        read_bodies(parser, a, text, stmts, n / 2);
        read_bodies(parser, a, text, stmts + n / 2, n - n / 2);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        stmts[i].opaque = true;
        sql_words_read(a, text, &stmts[i]);
    }
}

/* A tree takes many times the bytes of its text; the server reads what is longer. */
enum { PARSE_MAX = 16 * 1024 * 1024, BATCH_MAX = 1024 };

/* How many statements from `first` on are read at once: as far as the parser's bytes go, but one
 * alone that it must not see. */
static size_t
batch_of(const SqlScript *script, size_t first, bool *ret_deep)
{
    size_t i = first, n = script->stmts.n;
    for (; i < n && i - first < BATCH_MAX; i++) {
        SqlStmt s;
        sql_stmt(script, i, &s);
        *ret_deep = s.len > PARSE_MAX || is_too_deep(script->text, &s);
        if (*ret_deep && i == first)
            return 1;
        if (*ret_deep || (i > first && s.end - script->stmts.v[first].off > SQL_PARSE_BYTES))
            break;
    }
    *ret_deep = false;
    return i - first;
}

/* What is read of a batch goes again; the forms that are new stay. */
static void
classify(Arena *a, SqlScript *script, bool brief, SqlActionVec *actions)
{
    static const SqlParser no_parser = {0};
    if (script->stmts.n == 0)
        return;
    SqlParser parser;
    sql_parser_open(&parser);
    parser.brief = brief;
    parser.lasting = a;
    ARENA_LOCAL(names);
    Map made;
    map_init(&made, names);
    const SqlScript bare = *script; /* without forms */
    SqlForms forms = {.arena = a, .script = script};
    map_init(&forms.known, names);
    size_t n;
    for (size_t first = 0; first < script->stmts.n; first += n) {
        ARENA_LOCAL(scratch);
        bool deep;
        n = batch_of(script, first, &deep);
        SqlStmt *batch = arena_array(scratch, SqlStmt, n);
        parser.batch = batch;
        parser.actions = actions ? actions + first : NULL;
        for (size_t i = 0; i < n; i++) {
            sql_stmt(&bare, first + i, &batch[i]);
            sql_head_read(scratch, script->text, &batch[i]);
        }
        read_bodies(deep ? &no_parser : &parser, scratch, script->text, batch, n);
        for (size_t i = 0; i < n; i++) {
            if (!actions)
                drop_made_locks(&made, &batch[i]);
            note_made(&made, &batch[i]);
            script->has_opaque = script->has_opaque || batch[i].opaque;
            script->stmts.v[first + i].form = sql_form_of(&forms, scratch, &batch[i]);
        }
    }
}

void
sql_classify(Arena *a, SqlScript *script)
{
    classify(a, script, false, NULL);
}

void
sql_classify_brief(Arena *a, SqlScript *script)
{
    classify(a, script, true, NULL);
}

SqlActionVec *
sql_classify_actions(Arena *a, SqlScript *script)
{
    SqlActionVec *actions = arena_array(a, SqlActionVec, script->stmts.n);
    classify(a, script, false, actions);
    return actions;
}
