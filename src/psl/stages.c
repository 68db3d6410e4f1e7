/* In which order errors are shown: causes before consequences.
 *
 * Prisma's engine works in stages and says nothing about a later stage when an earlier one found
 * an error. Aramid reports everything, in the engine's order, so that the first error is the one
 * that users of Prisma know. The stage of each rule was measured: tests/compat/README.md. */
#include "psl/stages.h"

#include "base/str.h"

#define IDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const *const stages[] = {
    /* Reading the text */
    IDS("dialect-comment", "dialect-name", "dialect-object"),
    /* Names */
    IDS("enum-value-duplicate", "field-duplicate", "name-digit", "name-duplicate", "name-hyphen",
        "name-reserved", "name-scalar", "property-duplicate"),
    /* Types of fields */
    IDS("enum-empty", "type-unknown"),
    /* Attributes, each for itself */
    IDS("action-unknown", "argument-comma", "argument-duplicate", "argument-empty",
        "argument-empty-text", "argument-missing", "argument-several", "argument-unknown",
        "attribute-duplicate", "attribute-unknown", "client-name", "column-duplicate",
        "default-argument", "default-enum", "default-list", "default-type", "field-not-scalar",
        "field-repeated", "field-unknown", "id-optional", "id-second", "ignore-twice",
        "ignore-unsupported", "index-name-and-map", "index-type-unknown", "opclass-form",
        "opclass-unknown", "relation-field-attribute", "relation-scalar", "sort-unknown",
        "updated-at-type", "value-kind", "where-form", "where-type"),
    /* Datasources, then what is missing in them, then generators */
    IDS("datasource-provider", "datasource-relation-mode", "datasource-schemas",
        "extension-argument", "property-empty", "property-unknown", "provider-unknown",
        "provider-unsupported"),
    IDS("datasource-url"),
    IDS("datasource-missing", "datasource-second"),
    IDS("generator-provider", "preview-unknown"),
    /* What kinds of indexes can do */
    IDS("index-columns", "index-type-mismatch", "opclass-index-type", "opclass-type"),
    /* Rules of models, fields and keys: all other ids */
    NULL,
    /* Rules of enums and relations */
    IDS("action-cycle", "action-set-null", "enum-type-duplicate", "relation-arity",
        "relation-both-sides", "relation-incomplete", "relation-length", "relation-many-actions",
        "relation-many-fields", "relation-many-id", "relation-many-references",
        "relation-many-view", "relation-missing-opposite", "relation-mixed", "relation-not-unique",
        "relation-references", "relation-required", "relation-type", "relation-wrong-side",
        "view-id", "view-index", "view-preview"),
};

enum { STAGES = sizeof stages / sizeof *stages };

unsigned
psl_stage(Severity severity, const char *id)
{
    unsigned others = 0;
    if (severity != SEV_ERROR)
        return STAGES;
    if (str_starts(str_of(id), STR("syntax-")))
        return 0;
    for (unsigned i = 0; i < STAGES; i++) {
        if (!stages[i])
            others = i;
        for (const char *const *p = stages[i]; p && *p; p++) {
            if (strcmp(*p, id) == 0)
                return i;
        }
    }
    return others;
}
