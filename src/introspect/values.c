/* Values that are structures of their own: arrays and access control lists. */
#include "introspect/introspect_int.h"

bool
introspect_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else
            return false;
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
Strs
intro_array(Arena *a, Str text)
{
    Strs out = {0};
    size_t i = 0;
    while (i < text.n) {
        char c = text.p[i];
        if (c == '{' || c == '}' || c == ',') {
            i++;
            continue;
        }
        Buf b;
        buf_init(&b, a);
        bool quoted = c == '"';
        for (i += quoted; i < text.n; i++) {
            c = text.p[i];
            if (quoted ? c == '"' : c == ',' || c == '}')
                break;
            if (c == '\\' && i + 1 < text.n)
                c = text.p[++i];
            buf_addc(&b, c);
        }
        i += quoted;
        bool null = !quoted && str_is(buf_str(&b), "NULL");
        *vec_add(a, &out) = null ? (Str){0} : buf_str(&b);
    }
    return out;
}

/* ---- privileges ---------------------------------------------------------------------------- */

/* https://www.postgresql.org/docs/current/ddl-priv.html, in the order in which aclitem prints. */
static const char letters[] = "arwdDxtXUCTcsAm";

typedef struct Rights {
    const char *role; /* NULL = PUBLIC */
    unsigned has, may_grant;
} Rights;

typedef VEC(Rights) RightsVec;

static unsigned
bits(const char *privileges)
{
    unsigned set = 0;
    for (const char *p = privileges; *p; p++)
        set |= 1u << (strchr(letters, *p) - letters);
    return set;
}

/* A privilege came with 17: MAINTAIN, of whatever can be truncated. */
static const char *
owner_default(Arena *a, CatKind kind, int major)
{
    const char *usual = cat_kind(kind)->owner_privileges;
    return major >= 17 && strchr(usual, 'D') ? str_fmt(a, "%sm", usual) : usual;
}

bool
intro_is_public(const CatRef *id)
{
    return id->kind == CAT_SCHEMA && strcmp(id->name, "public") == 0;
}

/* What initdb gives; a CREATE SCHEMA public does not. */
const char *
intro_usual_in_public(int major)
{
    return major >= 15 ? "U" : "UC";
}

static const char *
public_default(const CatRef *id, int major)
{
    return intro_is_public(id) ? intro_usual_in_public(major)
                               : cat_kind(id->kind)->public_privileges;
}

static Rights *
rights_of(Arena *a, RightsVec *all, const char *role)
{
    vec_each (Rights, r, all)
        if (cat_same_text(r->role, role))
            return r;
    Rights *r = vec_add(a, all);
    r->role = role;
    return r;
}

/* role=privileges/grantor; the role is quoted where it must be, empty for PUBLIC. */
static void
item_read(Reading *r, Str item, RightsVec *all)
{
    Buf role;
    buf_init(&role, r->scratch);
    size_t i = 0;
    bool quoted = false;
    for (; i < item.n && (quoted || item.p[i] != '='); i++) {
        if (item.p[i] != '"')
            buf_addc(&role, item.p[i]);
        else if (quoted && i + 1 < item.n && item.p[i + 1] == '"')
            buf_addc(&role, item.p[++i]);
        else
            quoted = !quoted;
    }
    Rights *rights = rights_of(r->scratch, all, role.n ? role.p : NULL);
    for (i++; i < item.n && item.p[i] != '/'; i++) {
        const char *letter = strchr(letters, item.p[i]);
        if (!letter)
            continue;
        rights->has |= 1u << (letter - letters);
        if (i + 1 < item.n && item.p[i + 1] == '*')
            rights->may_grant |= 1u << (letter - letters);
    }
}

static const char *
rights_text(Arena *a, const Rights *rights)
{
    Buf b;
    buf_init(&b, a);
    for (unsigned i = 0; letters[i]; i++) {
        if (!(rights->has & 1u << i))
            continue;
        buf_addc(&b, letters[i]);
        if (rights->may_grant & 1u << i)
            buf_addc(&b, '*');
    }
    return b.p;
}

CatGrants
intro_acl(Reading *r, const CatRef *id, const char *owner, Str acl)
{
    CatGrants grants = {0};
    if (!acl.p && !intro_is_public(id))
        return grants;
    RightsVec all = {0};
    Strs items = intro_array(r->scratch, acl);
    /* Who has lost a default is not in the list. */
    if (owner && acl.p)
        rights_of(r->scratch, &all, owner);
    rights_of(r->scratch, &all, NULL);
    vec_each (Str, item, &items)
        item_read(r, *item, &all);
    vec_each (Rights, rights, &all) {
        bool is_owner = rights->role && cat_same_text(rights->role, owner);
        const char *usual = !rights->role ? public_default(id, r->major)
                            : is_owner    ? owner_default(r->scratch, id->kind, r->major)
                                          : "";
        if (rights->has == bits(usual) && (is_owner || !rights->may_grant))
            continue; /* an owner may grant anyway */
        *vec_add(r->arena, &grants) = (CatGrant){
            rights->role ? str_dupz(r->arena, rights->role) : NULL, rights_text(r->arena, rights)};
    }
    return grants;
}
