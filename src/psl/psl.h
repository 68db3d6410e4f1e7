/* The Prisma schema language: texts -> syntax tree -> formatted text, description.
 *
 * The tree is lossless. Declarations hold their parts twice: typed arrays for those who want to
 * know what the schema says (decl->fields, decl->attrs), and `items` in source order with comments
 * and blank lines for those who edit or print. Broken text gives a tree as well: whatever could be
 * read is in it, whatever could not is an item of kind PSL_ITEM_BAD and a diagnostic.
 *
 * Every Str that is text as written (names, numbers, constants) is a view into its file, so its
 * place is known without being stored: psl_span_of(file, field->name). Texts that had to be made
 * (decoded strings, documentation of several lines) live in the arena. The tree keeps pointers
 * into the Source array and the texts that were given: they must live as long as the tree does.
 *
 * Grammar: https://www.prisma.io/docs/orm/reference/prisma-schema-reference, the union of what
 * Prisma 2 to 7 accept. Parser, formatter and descriptions are pure; files.c does the only I/O. */
#pragma once

#include "base/finding.h"
#include "base/err.h"
#include "base/jw.h"

/* Texts beyond this size are refused with a diagnostic: offsets are 32 bits wide. */
#define PSL_MAX_TEXT ((size_t)1 << 31)

/* Brackets and parentheses may be nested this deep. */
#define PSL_MAX_DEPTH 64

/* Bytes in a file's text. len 0 and off 0 together mean "not there" where a part is optional. */
typedef struct PslSpan {
    uint32_t off, len;
} PslSpan;

typedef struct PslArg PslArg;
typedef struct PslArgs {
    PslArg *v;
    size_t n;
} PslArgs;

typedef enum PslExprKind {
    PSL_MISSING,  /* nothing written: `provider =`, `map:` */
    PSL_STRING,   /* text: decoded value */
    PSL_NUMBER,   /* text: as written, -?digits(.digits)? */
    PSL_CONSTANT, /* text: a name, dotted or not: Cascade, true, db.x */
    PSL_FUNCTION, /* text: the name; args: its arguments: now(), raw("..."), email(sort: Desc) */
    PSL_ARRAY,    /* args: the elements, without names */
    PSL_OBJECT,   /* args: the members, each with a name: { not: null } */
} PslExprKind;

typedef struct PslExpr {
    PslExprKind kind;
    PslSpan span;            /* of PSL_MISSING: the empty place where it should stand */
    uint32_t trailing_comma; /* offset of a comma before the closing parenthesis, or 0 */
    Str text;
    PslArgs args;
} PslExpr;

struct PslArg {
    Str name; /* n == 0: not named */
    PslSpan span;
    PslExpr value; /* PSL_MISSING for `name:` alone */
};

/* `@id`, `@db.VarChar(200)`, `@@index([a, b], map: "x")`. A trailing comma and an argument without
 * a value are left for the validator to complain about. */
typedef struct PslAttr {
    Str name; /* without @: "id", "db.VarChar" */
    PslSpan span;
    PslArgs args;
    PslSpan parens; /* from ( to ), both included; len 0 = none were written */
    uint32_t trailing_comma;
    PslSpan comment; /* of a block attribute: the comment at the end of its line */
} PslAttr;

typedef struct PslAttrs {
    PslAttr *v;
    size_t n;
} PslAttrs;

typedef enum __attribute__((packed)) PslArity {
    PSL_REQUIRED,
    PSL_OPTIONAL,
    PSL_LIST,
    PSL_OPTIONAL_LIST, /* `Int[]?`: only in trees with an error */
} PslArity;

typedef struct PslType {
    Str name; /* "Int", "User"; for Unsupported("..."): the decoded string */
    PslSpan span;
    PslArity arity;
    bool is_unsupported;
} PslType;

typedef struct PslDecl PslDecl;

/* A field of a model, view or composite type. */
typedef struct PslField {
    Str name;
    PslSpan span; /* from the name to the last attribute, without the comment */
    PslType type;
    PslAttrs attrs;
    Str doc;         /* text of its documentation comments, lines joined with \n; n == 0: none */
    PslSpan comment; /* at the end of its line, with its slashes */
    const PslDecl *parent;
    uint32_t index; /* in parent->fields */
} PslField;

typedef struct PslFields {
    PslField *v;
    size_t n;
} PslFields;

/* A value of an enum. */
typedef struct PslValue {
    Str name;
    PslSpan span;
    PslAttrs attrs;
    Str doc;
    PslSpan comment;
    const PslDecl *parent;
    uint32_t index; /* in parent->values */
} PslValue;

typedef struct PslValues {
    PslValue *v;
    size_t n;
} PslValues;

/* `key = value` of a datasource or generator. */
typedef struct PslProp {
    Str name;
    PslSpan span;
    PslExpr value; /* PSL_MISSING when nothing follows the = */
    PslSpan comment;
    const PslDecl *parent;
    uint32_t index; /* in parent->props */
} PslProp;

typedef struct PslProps {
    PslProp *v;
    size_t n;
} PslProps;

typedef enum PslItemKind {
    PSL_ITEM_DECL,    /* only in files */
    PSL_ITEM_FIELD,   /* in models, views, types */
    PSL_ITEM_VALUE,   /* in enums */
    PSL_ITEM_PROP,    /* in datasources and generators */
    PSL_ITEM_ATTR,    /* @@attribute */
    PSL_ITEM_COMMENT, /* one line, // or ///, from the slashes to the end of the line */
    PSL_ITEM_BLOCK_COMMENT,
    PSL_ITEM_BLANK, /* one or more blank lines; span from the first to the last line end */
    PSL_ITEM_BAD,   /* text that could not be read; a diagnostic tells why */
} PslItemKind;

/* A part in source order. */
typedef struct PslItem {
    PslItemKind kind;
    uint32_t index; /* in the array of its kind (schema->decls for PSL_ITEM_DECL) */
    PslSpan span;
} PslItem;

typedef struct PslItems {
    PslItem *v;
    size_t n;
} PslItems;

typedef enum PslDeclKind {
    PSL_MODEL,
    PSL_VIEW,
    PSL_TYPE, /* composite type */
    PSL_ENUM,
    PSL_DATASOURCE,
    PSL_GENERATOR,
} PslDeclKind;

typedef struct PslFile {
    const Source *source;
    const struct PslSchema *schema;
    PslItems items;
    size_t errors; /* syntax errors in this file */
    size_t bad;    /* parts that could not be read: the PSL_ITEM_BAD in it and its blocks */
} PslFile;

struct PslDecl {
    PslDeclKind kind;
    uint32_t index; /* in schema->decls */
    uint32_t item;  /* in file->items */
    Str name;
    PslSpan span;        /* from the keyword to the closing brace */
    PslSpan head;        /* the keyword and the name */
    PslSpan after_brace; /* trimmed text behind the opening brace on its line; len 0 = none */
    uint32_t close;      /* offset of the closing brace (of the end when it is missing) */
    Str doc;
    PslFields fields; /* PSL_MODEL, PSL_VIEW, PSL_TYPE */
    PslValues values; /* PSL_ENUM */
    PslProps props;   /* PSL_DATASOURCE, PSL_GENERATOR */
    PslAttrs attrs;   /* @@attributes */
    PslItems items;
    const PslFile *file;
};

/* All files as one schema: one name space. */
typedef struct PslSchema {
    PslFile *files; /* as many as sources were given, in their order */
    size_t nfiles;
    PslDecl **decls; /* in order of files and of the text */
    size_t ndecls;
    size_t errors; /* syntax errors in all files */
} PslSchema;

/* Read the texts. Adds a diagnostic (ids "syntax-...") to `diags` for each part that the grammar
 * refuses, and goes on behind it. Any bytes are fine. Time and space are linear in the size. After
 * 1,000 errors in a file the rest is counted but not described.
 *
 * files  the sources, kept by the tree (see above); n may be 0
 * returns the schema, never NULL, owned by `a` */
PslSchema *psl_parse(Arena *a, const Source *files, size_t n, FindingList *diags);

/* The first declaration of that kind, NULL = there is none; what stands behind it is not read, and
 * what is wrong before it is not told. For who needs one block of a file, whatever the rest is. */
const PslDecl *psl_parse_first(Arena *a, const Source *file, PslDeclKind kind);

/* -- Looking things up. All return NULL (or -1) when there is none. -- */

/* The first attribute of that name. */
const PslAttr *psl_attr(PslAttrs attrs, const char *name);

/* The value of the attribute's argument `name`, or of the unnamed argument number `position`
 * (0-based, counting unnamed ones only; -1 = only by name). A named one wins. NULL also for `name:`
 * alone. */
const PslExpr *psl_arg_value(PslArgs args, const char *name, int position);

const PslField *psl_field(const PslDecl *decl, Str name);
const PslProp *psl_prop(const PslDecl *decl, const char *name);

/* The first declaration of that kind and name; name.n == 0 takes any name. Linear. */
const PslDecl *psl_decl(const PslSchema *schema, PslDeclKind kind, Str name);

/* "model", "composite type", ... for messages; "model", "type", ... as written. */
const char *psl_decl_word(PslDeclKind kind);
const char *psl_decl_keyword(PslDeclKind kind);

/* "string", "number", "constant", "function call", "array", "object". */
const char *psl_expr_word(PslExprKind kind);

/* Where a view lies in its file; {0, 0} when it does not point into the file's text. */
PslSpan psl_span_of(const PslFile *file, Str view);

/* The text of a span. */
Str psl_text(const PslFile *file, PslSpan span);

/* Add a diagnostic at a span of a file. */
__attribute__((format(printf, 6, 7))) Finding *psl_diag(FindingList *diags, Severity severity,
                                                        FindingId id, const PslFile *file,
                                                        PslSpan at, const char *fmt, ...);

/* -- Printing -- */

/* Lay a file out as `prisma format` does, without adding anything to it. Comments are never lost:
 * one behind an opening brace becomes the first line of its block, or goes above it when it is
 * documentation. Columns are aligned by what a terminal shows, so names in any script line up.
 *
 * Legacy forms (`id: Int`, `Int!`, `[Int]`) are errors to the parser but well understood: they are
 * printed in today's form.
 *
 * ret     the text, owned by `a`; ends with exactly one newline
 * errors  ERR_SCHEMA when parts of the file could not be read: then nothing is printed */
MUST_CHECK bool psl_format(Arena *a, const PslFile *file, Str *ret, Err *err);

/* Text to insert into a file. */
typedef struct PslInsert {
    uint32_t file; /* index in schema->files */
    uint32_t off;
    const char *text;
} PslInsert;

typedef VEC(PslInsert) PslInsertVec;

/* What `prisma format` adds to a schema whose relations are written on one side only: the opposite
 * relation field, @relation with its arguments, and the scalar fields that these name. Nothing is
 * proposed where a name is taken or where it is not clear what belongs together.
 *
 * ret  sorted by file and offset */
void psl_format_fixups(Arena *a, const PslSchema *schema, PslInsertVec *ret);

/* The texts of the files with the inserts made: an array of schema->nfiles sources. */
Source *psl_apply(Arena *a, const PslSchema *schema, const PslInsertVec *inserts);

/* The whole of `prisma format`: parse, add what is missing (when `fixups`), lay out.
 *
 * ret     the formatted files, as many as were given, same paths
 * diags   syntax errors; then the result is false with ERR_SCHEMA */
MUST_CHECK bool psl_reformat(Arena *a, const Source *files, size_t n, bool fixups, Source **ret,
                             FindingList *diags, Err *err);

/* -- Files -- */

/* Read a schema file, or all *.prisma files below a folder (sorted by path; a folder's link cycles
 * are followed once), and parse them.
 *
 * errors  ERR_IO with the path: missing, unreadable, not a file, no .prisma file in the folder */
MUST_CHECK bool psl_load(Arena *a, const char *path, PslSchema **ret, FindingList *diags, Err *err);

/* The same without parsing: the sources, owned by `a`. */
MUST_CHECK bool psl_load_sources(Arena *a, const char *path, Source **ret, size_t *ret_n, Err *err);
