/* Preview features of Prisma. */
#include "psl/validate_int.h"

#define ALL (P5 | P6 | P7)

/* Every preview feature that ever was, and the generations that know its name; `is_active` where
 * it still does something in one of them. Names: the list of Prisma's own error messages. */
typedef struct Preview {
    const char *name;
    unsigned known;
    bool is_active;
} Preview;

static const Preview previews[] = {
    {"aggregateApi", ALL, false},
    {"atomicNumberOperations", ALL, false},
    {"clientExtensions", ALL, false},
    {"cockroachdb", ALL, false},
    {"connectOrCreate", ALL, false},
    {"createMany", ALL, false},
    {"dataProxy", ALL, false},
    {"deno", ALL, false},
    {"distinct", ALL, false},
    {"driverAdapters", ALL, false},
    {"extendedIndexes", ALL, false},
    {"extendedWhereUnique", ALL, false},
    {"fieldReference", ALL, false},
    {"filterJson", ALL, false},
    {"filteredRelationCount", ALL, false},
    {"fullTextIndex", ALL, false},
    {"fullTextSearch", ALL, true},
    {"fullTextSearchPostgres", P6 | P7, true},
    {"groupBy", ALL, false},
    {"improvedQueryRaw", ALL, false},
    {"interactiveTransactions", ALL, false},
    {"jsonProtocol", ALL, false},
    {"metrics", P5 | P6, true},
    {"microsoftSqlServer", ALL, false},
    {"middlewares", ALL, false},
    {"mongodb", ALL, false},
    {"multiSchema", ALL, false},
    {"nApi", ALL, false},
    {"namedConstraints", ALL, false},
    {"nativeDistinct", ALL, true},
    {"nativeTypes", ALL, false},
    {"omitApi", ALL, false},
    {"orderByAggregateGroup", ALL, false},
    {"orderByNulls", ALL, false},
    {"orderByRelation", ALL, false},
    {"partialIndexes", P7, true},
    {"postgresqlExtensions", ALL, true},
    {"prismaSchemaFolder", ALL, false},
    {"queryCompiler", P6 | P7, false},
    {"reactNative", ALL, true},
    {"referentialActions", ALL, false},
    {"referentialIntegrity", ALL, false},
    {"relationJoins", ALL, true},
    {"schemaEngineDriverAdapters", P6 | P7, true},
    {"selectRelationCount", ALL, false},
    {"shardKeys", P6 | P7, true},
    {"strictUndefinedChecks", ALL, true},
    {"tracing", ALL, false},
    {"transactionApi", ALL, false},
    {"typedSql", ALL, true},
    {"uncheckedScalarInputs", ALL, false},
    {"views", ALL, true},
};

enum { PREVIEWS = COUNT(previews) };

void
v_check_preview(Ctx *c, const PslFile *file, const PslExpr *e)
{
    const Preview *found = NULL;
    for (size_t i = 0; i < PREVIEWS && !found; i++) {
        if (str_ieq(e->text, str_of(previews[i].name)))
            found = &previews[i];
    }
    if (!found) {
        Finding *d = v_error(c, FINDING_PREVIEW_UNKNOWN, file, e->span,
                             "there is no preview feature \"" STR_FMT "\"", Q(e->text));
        Nearest near;
        v_near_init(c, &near, e->text);
        for (size_t i = 0; i < PREVIEWS; i++)
            v_near_try(&near, str_of(previews[i].name));
        if (v_near_found(&near))
            v_hint(c, d, "did you mean \"" STR_FMT "\"?", Q(near.best));
        return;
    }
    if (found->known != ALL)
        v_dialect(c, ALL & ~found->known, FINDING_PREVIEW_UNKNOWN, file, e->span,
                  "the preview feature \"%s\" is known to Prisma %s only", found->name,
                  found->known == P7          ? "7"
                  : found->known == (P5 | P6) ? "5 and 6"
                                              : "6 and 7");
    else if (!found->is_active && c->prisma != 5)
        v_warn(c, FINDING_PREVIEW_STABLE, file, e->span,
               "the preview feature \"%s\" needs no flag any more", found->name);
}

bool
v_has_preview(const Ctx *c, const char *feature)
{
    for (size_t i = 0; i < c->r->ngenerators; i++) {
        if (v_decl_is_partial(c->r->generators[i].decl))
            return true;
    }
    return c->has_unread || psl_has_preview(c->r, feature);
}
