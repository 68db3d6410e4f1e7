/* What has to be set elsewhere before the files work, read from the texts of the files themselves: what
 * people changed in them, or kept, is true then, too. */
#include "flow/init_int.h"

#include "base/fs.h"

static const char github[] = "GitHub: Settings, Secrets and variables, Actions",
                  vercel[] = "Vercel: Settings, Environment Variables, for Production only",
                  docker[] = "Docker: the shell, or .env beside the compose file",
                  k8s[] = "Kubernetes: in the namespace of the Job";

static const char *
why_of(const Init *s, const char *name)
{
    static const struct {
        const char *name, *why;
    } known[] = {
        {"ARAMID_DOWNLOAD_URL", "where the program is; not with bin/aramid in the repository"},
        {"ARAMID_SHA256", "the SHA-256 of what is there"},
        {"ARAMID_UPLOAD_BACKUPS", "if you like: true keeps each backup as an artifact for 30 days"},
        {"NO_BACKUP_REASON", "why a deploy needs no backup; or backup.command in aramid.yaml"},
        {"POSTGRES_PASSWORD", "of the database that is tried on"},
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].why;
    Str env = str_of(name);
    if (!str_ends(env, STR("_DATABASE_URL")))
        return "the URL of production's database; direct, or a pooler of sessions";
    env.n -= strlen("_DATABASE_URL");
    return str_fmt(s->a, "the URL of the database of %s",
                   str_is(env, "PROD")  ? "production"
                   : str_is(env, "DEV") ? "development"
                                        : init_slug(s->a, str_dup(s->a, env)));
}

static void
need(Init *s, const char *where, const char *kind, const char *name, const char *why)
{
    bool has_program = fs_kind(init_in_home(s, "bin/aramid")) == FS_FILE;
    if (has_program && strcmp(name, "ARAMID_UPLOAD_BACKUPS") != 0 &&
        str_starts(str_of(name), STR("ARAMID_")))
        return;
    vec_each (const InitNeed, n, &s->r->needs) {
        if (strcmp(n->where, where) == 0 && strcmp(n->name, name) == 0)
            return;
    }
    *vec_add(s->a, &s->r->needs) =
        (InitNeed){.where = where, .kind = kind, .name = name, .why = why ? why : why_of(s, name)};
}

/* The name that begins with the text. */
static const char *
word_of(const Init *s, Str text)
{
    size_t n = 0;
    while (n < text.n && ((text.p[n] >= 'A' && text.p[n] <= 'Z') || text.p[n] == '_' ||
                          (text.p[n] >= '0' && text.p[n] <= '9')))
        n++;
    return str_dup(s->a, str_slice(text, 0, n));
}

/* Each name that follows `mark` in the text. */
static void
need_each(Init *s, Str text, const char *mark, const char *where, const char *kind)
{
    size_t n = strlen(mark);
    for (size_t i = 0; i + n < text.n; i++) {
        if (memcmp(text.p + i, mark, n) != 0)
            continue;
        const char *name = word_of(s, str_slice(text, i + n, text.n));
        if (*name)
            need(s, where, kind, name, NULL);
    }
}

/* What follows "key:" in its line; NULL = there is none. */
static const char *
yaml_value(const Init *s, Str text, const char *key)
{
    for (Str rest = text; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (str_starts(line, str_of(key)))
            return str_dup(s->a, str_trim(str_slice(line, strlen(key), line.n)));
    }
    return NULL;
}

/* Variables without a default, and those that are passed on when they are set. */
static void
needs_of_compose(Init *s, Str text)
{
    for (Str rest = text; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (str_ends(line, STR("_DATABASE_URL:")))
            need(s, docker, "variable", word_of(s, line),
                 str_fmt(s->a, "if you deploy there: %s", why_of(s, word_of(s, line))));
        for (size_t i = 0; line.n && line.p[0] != '#' && i + 2 < line.n; i++) {
            if (memcmp(line.p + i, "${", 2) != 0)
                continue;
            const char *name = word_of(s, str_slice(line, i + 2, line.n));
            Str then = str_slice(line, i + 2 + strlen(name), line.n);
            if (str_starts(then, STR(":?")) || str_starts(then, STR(":-}")))
                need(s, docker, "variable", name, NULL);
        }
    }
}

static void
needs_of_job(Init *s, Str text)
{
    bool inside = false;
    const char *name = NULL;
    for (Str rest = text; rest.p && !name;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (inside && str_starts(line, STR("name:")))
            name = str_dup(s->a, str_trim(str_slice(line, 5, line.n)));
        inside = inside || str_is(line, "secretKeyRef:");
    }
    const char *key = yaml_value(s, text, "key:"), *image = yaml_value(s, text, "image:");
    if (name && key)
        need(s, k8s, "secret", name,
             str_fmt(s->a, "kubectl create secret generic %s --from-literal=%s=URL",
                     str_shell(s->a, name), str_shell(s->a, key)));
    if (image)
        need(s, k8s, "image", image,
             "built from Dockerfile.migrations, where the cluster can pull it");
}

void
init_needs(Init *s)
{
    vec_each (const InitFile, f, &s->r->files) {
        Str text = f->action == INIT_KEEP ? f->before : f->after;
        const char *name = fs_basename(f->path);
        if (str_ends(str_of(name), STR(".aramid-new")))
            continue;
        if (str_contains(str_of(f->path), STR("/.github/workflows/"))) {
            need_each(s, text, "secrets.", github, "secret");
            need_each(s, text, "vars.", github, "variable");
        } else if (strcmp(name, "vercel-build.sh") == 0 &&
                   !str_contains(text, STR("\ndeployer=github"))) {
            need(s, vercel, "variable", "DATABASE_URL", NULL);
            need(s, vercel, "variable", "ARAMID_DOWNLOAD_URL", NULL);
            need(s, vercel, "variable", "ARAMID_SHA256", NULL);
            need_each(s, text, "--reason \"$", vercel, "variable");
            need(s, vercel, "install", "libpq",
                 "in the Install Command: dnf install -y libpq, before the packages");
        } else if (strcmp(name, "Dockerfile.migrations") == 0) {
            const char *image = yaml_value(s, text, "ARG ARAMID_IMAGE=");
            if (image)
                need(s, docker, "image", image,
                     "Aramid's image: docker load -i aramid-VERSION-image.tar, or ARAMID_IMAGE");
        } else if (strcmp(name, "docker-compose.migrations.yml") == 0) {
            needs_of_compose(s, text);
        } else if (strcmp(name, "migrations-job.yaml") == 0) {
            needs_of_job(s, text);
        }
    }
}
