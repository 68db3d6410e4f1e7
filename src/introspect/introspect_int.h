/* Private to src/introspect: the queries, and the state while their rows come in. */
#pragma once

#include "introspect/introspect.h"

/* Oids of the system catalogs, which never change (src/include/catalog of PostgreSQL). */
enum {
    CLASS_TYPE = 1247,
    CLASS_PROC = 1255,
    CLASS_CLASS = 1259,
    CLASS_ATTRDEF = 2604,
    CLASS_CONSTRAINT = 2606,
    CLASS_NAMESPACE = 2615,
    CLASS_REWRITE = 2618,
    CLASS_TRIGGER = 2620,
    CLASS_POLICY = 3256,
};

typedef struct RelColumn {
    const char *name; /* NULL: dropped */
    CatColumn *column;
    unsigned collation;
} RelColumn;

/* A relation (or composite type) while it is read: column numbers are looked up here. Relations
 * that are left out have one, too, because foreign keys may refer to their columns. */
typedef struct Rel {
    CatObject *object; /* NULL: left out */
    const char *schema, *name;
    VEC(RelColumn) columns; /* by attnum - 1 */
} Rel;

/* Numbers of an array "{1,2}" or of a vector "1 2". */
typedef VEC(long long) Numbers;

typedef struct LaterNeeds {
    CatDefined *object;
    Numbers numbers; /* class, oid, column; ... */
} LaterNeeds;

typedef struct Reading {
    Arena *arena;   /* of the catalog */
    Arena *scratch; /* until the end of reading */
    const IntrospectOptions *options;
    int major;
    Catalog *catalog;
    bool is_torn;          /* something vanished while it was read */
    VEC(unsigned) schemas; /* their oids */
    VEC(unsigned) outside; /* those of schemas that are not read */
    bool has_extensions;
    Map names;             /* texts that are shared: -> const char * */
    Map types;             /* text of a type -> CatType * */
    Map objects;           /* (class, oid) -> CatObject * */
    Map rels;              /* oid of pg_class -> Rel * */
    Map opclasses;         /* oid -> CatName *, those that are no default */
    Map collations;        /* oid -> CatName * */
    Map dependents;        /* what and name -> CatDependent * */
    VEC(unsigned) there;   /* rare kinds that the database may have: defined.c */
    VEC(LaterNeeds) needs; /* of their objects */
} Reading;

/* ---- cells.c: cells of rows as values; NULL and "" are absent ---------------------------------- */

unsigned cell_oid(Str cell);
int cell_int(Str cell);
int64_t cell_big(Str cell);
bool cell_yes(Str cell);
char cell_letter(Str cell);
const char *cell_text(Reading *r, Str cell);
/* What the server printed of an object; it sees the present, and there it was gone when it is "". */
const char *cell_printed(Reading *r, Str cell);
/* The same without a semicolon at its end. */
const char *cell_statement(Reading *r, Str cell);
/* A text that comes often: a name. */
const char *cell_name(Reading *r, Str cell);
/* schema, name -> CatName, whose schema is NULL for pg_catalog. */
CatName cell_qualified(Reading *r, Str schema, Str name);
CatType cell_type(Reading *r, Str cell);
/* key=value; minor releases since November 2026 keep pg_attver among the options of columns. */
void cell_options(Reading *r, Str cell, CatTexts *ret);
void cell_names(Reading *r, Str cell, CatTexts *ret);
Numbers cell_numbers(Reading *r, Str cell);

/* ---- reading.c: what was read already ------------------------------------------------------------ */

/* Maps from an oid; objects of all system catalogs by the oid of theirs and their own. */
void *intro_by_oid(const Map *map, unsigned id);
void intro_put_oid(Reading *r, Map *map, unsigned id, void *value);
void intro_remember(Reading *r, unsigned class, unsigned id, void *object);
CatObject *intro_recall(const Reading *r, unsigned class, unsigned id);
/* Whether the caller does not want the object. */
bool intro_left_out(const Reading *r, const char *schema, const char *object);
CatName intro_collation(const Reading *r, unsigned id);

Rel *rel_add(Reading *r, unsigned id, CatObject *object, const char *schema, const char *name);
/* The relation of that oid, when it is in the catalog. */
CatRelation *rel_relation(const Reading *r, unsigned id);
/* Names of columns by their numbers; NULL, or left out, where there is none. */
const char *rel_column(const Rel *rel, long long number);
void rel_columns(Reading *r, const Rel *rel, Str cell, CatTexts *ret);

/* ---- queries.c, rows*.c --------------------------------------------------------------------------- */

typedef struct Query {
    const char *sql; /* NULL: written by the file that reads its rows */
    void (*row)(Reading *r, const Str *cells);
} Query;

/* The first query gives the schemas; the others read what is in them. */
extern const Query intro_schema_query;
extern const Query intro_queries[];
extern const size_t intro_nqueries;

/* Expand a query's braces into b. */
void intro_query_add(Buf *b, const Reading *r, const char *sql);

/* defined.c: which rare kinds are there, and the query for them all. */
void intro_probe_add(Buf *b, const Reading *r);
void intro_row_probe(Reading *r, const Str *cells);
void intro_defined_add(Buf *b, const Reading *r);

/* dependents.c, rows_dependents.c: what stands on what is read, and is not read itself. */
void intro_dependents_add(Buf *b, const Reading *r);
void intro_row_dependent(Reading *r, const Str *cells);
void intro_take_dependents(Reading *r);

/* Rows, one function for each query. */
void intro_row_schema(Reading *r, const Str *cells);
void intro_row_extension(Reading *r, const Str *cells);
void intro_row_opclass(Reading *r, const Str *cells);
void intro_row_collation(Reading *r, const Str *cells);
void intro_row_type(Reading *r, const Str *cells);
void intro_row_label(Reading *r, const Str *cells);
void intro_row_relation(Reading *r, const Str *cells);
void intro_row_column(Reading *r, const Str *cells);
void intro_row_sequence(Reading *r, const Str *cells);
void intro_row_function(Reading *r, const Str *cells);
void intro_row_constraint(Reading *r, const Str *cells);
void intro_row_index(Reading *r, const Str *cells);
void intro_row_index_option(Reading *r, const Str *cells);
void intro_row_trigger(Reading *r, const Str *cells);
void intro_row_rule(Reading *r, const Str *cells);
void intro_row_policy(Reading *r, const Str *cells);
void intro_row_comment(Reading *r, const Str *cells);
void intro_row_dependency(Reading *r, const Str *cells);
void intro_row_other(Reading *r, const Str *cells);
void intro_row_defined(Reading *r, const Str *cells);

/* rows_defined.c: once all rows are there. */
void intro_take_needs(Reading *r);
void intro_use_shells(Reading *r);

/* Put columns into the order of their numbers: the server need not sort them. */
void intro_finish(Reading *r);

/* Elements of an array's text, nested ones flattened; NULL elements have p == NULL. */
typedef VEC(Str) Strs;
Strs intro_array(Arena *a, Str text);

bool intro_is_public(const CatRef *id);
const char *intro_usual_in_public(int major);

/* What of an object's ACL differs from the defaults. */
CatGrants intro_acl(Reading *r, const CatRef *id, const char *owner, Str acl);
