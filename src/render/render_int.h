/* Private to src/render. */
#pragma once

#include "render/render.h"
#include "sqltext/sqltext.h"

typedef struct Render {
    Arena *arena;
    const Diff *diff;
    const char *schema;
    bool compat;
    RenderStep *step; /* the one being made */
} Render;

/* sql.c: pieces of statements */
void put_ident(Render *r, Buf *b, const char *name);
void put_label(Render *r, Buf *b, const char *text); /* literal */
void put_name(Render *r, Buf *b, const char *schema, const char *name);
const char *ident_text(Render *r, const char *name);
const char *name_text(Render *r, const CatRef *id);
const char *signature_text(Render *r, const CatFunction *f);     /* as statements name it */
void put_collation(Render *r, Buf *b, const CatName *collation); /* " COLLATE x", or nothing */
void put_columns(Render *r, Buf *b, const CatTexts *columns, const char *comma);
void put_type(Render *r, Buf *b, const CatType *type);
const char *serial_of(Render *r, const Catalog *c,
                      const CatColumn *column); /* "SERIAL", ..., or NULL */
void put_column(Render *r, Buf *b, const Catalog *c, const CatColumn *column);
/* The constraint behind NOT NULL (18): the name that it has when it is called so, " CONSTRAINT name" where there
 * is one to say, its text, and what gives it to children or takes it from them (NULL: nothing to do; x NULL: there
 * was none). */
const char *not_null_name(const Render *r, const CatRef *of, const char *name);
void put_not_null_name(Render *r, Buf *b, const char *name);
void put_not_null(Render *r, Buf *b, const CatColumn *column);
const char *set_not_null(Render *r, const CatColumn *column); /* for ALTER TABLE */
const char *not_null_inheritance(Render *r, const char *table, const CatColumn *x,
                                 const CatColumn *y);
const CatSequence *identity_sequence(const Catalog *c, const CatColumn *column);
void put_identity(Render *r, Buf *b, const Catalog *c, const CatColumn *column);
void put_keys(Render *r, Buf *b, const CatKeys *keys);
void put_options(Render *r, Buf *b, const CatTexts *options); /* " WITH (a=b)" */
/* The statement that lets a sequence go on behind the values that its column has; NULL where the
 * column is new or has no numbers. */
const char *behind_rows(Render *r, const CatSequence *s);
void put_sequence_options(Buf *b, const CatSequence *s, const CatSequence *usual);
void put_constraint(Render *r, Buf *b, const CatConstraint *k); /* without its name */

__attribute__((format(printf, 2, 3))) void statement(Render *r, const char *fmt, ...);
void statement_buf(Render *r, const Buf *b);

void put_index_keys(Render *r, Buf *b, const CatIndex *i);   /* index.c: what follows the table */
void put_policy_rule(Render *r, Buf *b, const CatPolicy *p); /* code.c: what follows the table */

/* table_state.c: statements for what CREATE TABLE leaves as it is; `from` is what is there by then. */
void table_state(Render *r, const CatRelation *from, const CatRelation *to);
void table_parents(Render *r, const CatRelation *from, const CatRelation *to);
/* Storage, compression, statistics and options, where they differ. from NULL: a new column. */
void column_storage(Render *r, const char *table, const CatColumn *from, const CatColumn *to);
/* For partitions, which get an identity when they are attached, and for parents. */
CatColumn column_without_identity(const CatColumn *column);

/* alter_table.c */
void render_alter_table(Render *r, const Change *c);

/* Each makes the statements of its kind of change: render_<write> of kinds.def. */
#define KIND(id, T, fields, list, key, name, title, sql, named, code, plain, owner, public, acl,   \
             create, alter, drop, write)                                                           \
    void render_##write(Render *r, const Change *c);
#include "catalog/kinds.def"

/* table.c: CHANGE_INDEX_STATE of any relation. */
void render_index_state(Render *r, const Change *c);

/* code.c: "ENABLE REPLICA" */
const char *enabled_words(char enabled);

/* access.c: COMMENT ON, OWNER TO, GRANT. */
const char *privilege_word(char letter); /* "SELECT"; NULL: not known */
void render_attributes(Render *r, const CatObject *from, const CatObject *to);
