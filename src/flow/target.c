/* Which database is meant, a URL or the embedded one; and the history of its migrations. */
#include "base/fs.h"
#include "flow/flow.h"

static void
add_notes(const Config *c, Err *err)
{
    vec_each (const Finding, n, &c->findings.items) {
        if (n->path && n->line)
            err_detail(err, "%s:%d: %s", n->path, n->line, n->text);
        else
            err_detail(err, "%s%s%s", n->path ? n->path : "", n->path ? ": " : "", n->text);
    }
}

bool
flow_target_decided(const Config *c, const char *shown, Err *err)
{
    if (!c->other_url)
        return true;
    err_set(err, ERR_CONFIG, "two sources name different databases");
    err_detail(err, "%s: %s", config_target(c)->origin, shown);
    err_detail(err, "%s: %s", c->other_url_origin, c->other_url);
    err_hint(err, "nothing was changed; say which one is meant, for good in aramid.yaml, for "
                  "example url: ${DATABASE_URL}");
    return err_hint(err, "or for this call: --url");
}

const char *
flow_url_variable(const Config *c)
{
    return c->url_variables.n ? c->url_variables.v[0] : "DATABASE_URL";
}

/* "applied" must never be said of a private database when another one was meant. */
static bool
embedded_is_meant(const Config *c, Err *err)
{
    if (c->unread_url) {
        err_set(err, ERR_CONFIG, "the URL of the database cannot be known without running code");
        err_detail(err, "%s", c->unread_url);
        return err_hint(err, "set %s, or url in aramid.yaml, or give --url", flow_url_variable(c));
    }
    if (c->empty_url) {
        err_set(err, ERR_CONFIG, "%s is set, but empty: no database is named", c->empty_url);
        err_detail(err, "it comes from %s", c->empty_url_origin);
        err_hint(err, "in a pipeline: is the secret defined, and may this job see it?");
        return err_hint(err,
                        "to use the embedded PostgreSQL of this project, remove the variable "
                        "(env -u %s aramid ...)",
                        c->empty_url);
    }
    if (c->profile != PROFILE_DEVELOPMENT) {
        err_set(err, ERR_CONFIG, "environment \"%s\" is %s, but no database URL is set",
                c->env_name, c->profile == PROFILE_PRODUCTION ? "production" : "staging");
        add_notes(c, err);
        return err_hint(err, "set %s, or give --url; the embedded PostgreSQL is for development",
                        flow_url_variable(c));
    }
    if (c->is_ci && !c->env_named) {
        err_set(err, ERR_CONFIG, "no database URL is set, and this is a pipeline (CI is set)");
        add_notes(c, err);
        err_hint(err, "set %s, or give --url; is the secret defined, and may this job see it?",
                 flow_url_variable(c));
        return err_hint(err, "to use the embedded PostgreSQL of this project, say so: --env ci");
    }
    return true;
}

void
flow_cluster_options(const Config *c, const char *self_exe, ClusterOptions *ret)
{
    *ret = (ClusterOptions){
        .project_dir = c->project_dir,
        .data_dir = c->values[CFG_EMBEDDED_DIR].text,
        .bindir = c->values[CFG_EMBEDDED_BIN].text,
        .idle_ms = config_ms(c, CFG_EMBEDDED_IDLE),
        .self_exe = self_exe,
    };
}

const char *
flow_cluster_url(Arena *a, const ClusterInfo *info)
{
    DbUrl url = {.user = info->user, .database = info->database};
    *vec_add(a, &url.hosts) = (UrlHost){info->socket_dir, info->port};
    return url_shown(a, &url);
}

static bool
embedded(Arena *a, const Config *c, const char *self_exe, FlowMake make, Target *ret, Err *err)
{
    if (!embedded_is_meant(c, err))
        return false;
    ClusterOptions o;
    flow_cluster_options(c, self_exe, &o);
    ret->embedded = true;
    ret->origin = "the embedded PostgreSQL of this project";
    if (make == FLOW_MAKES_NOTHING) {
        if (!cluster_inspect(a, &o, &ret->cluster, err))
            return false;
        ret->absent = !ret->cluster.data_dir;
    }
    if (ret->absent)
        return true;
    if (!cluster_ensure(a, &o, &ret->cluster, err))
        return false;
    *vec_add(a, &ret->url.hosts) = (UrlHost){ret->cluster.socket_dir, ret->cluster.port};
    ret->url.user = ret->cluster.user;
    ret->url.database = ret->cluster.database;
    ret->url.connect_timeout_s = -1;
    ret->shown = flow_cluster_url(a, &ret->cluster);
    return true;
}

/* The embedded server's own URL in a .env file, for the application: its server is started as it would
 * be without a URL. */
static bool
start_own(Arena *a, const Config *c, const char *self_exe, Target *ret, Err *err)
{
    ClusterOptions o;
    ClusterInfo info;
    Err unread; /* another server's socket is none of ours, whatever our folder looks like */
    if (ret->url.hosts.n != 1 || ret->url.hosts.v[0].host[0] != '/')
        return true;
    flow_cluster_options(c, self_exe, &o);
    if (!cluster_inspect(a, &o, &info, &unread) || !info.data_dir || !info.socket_dir ||
        strcmp(info.socket_dir, ret->url.hosts.v[0].host) != 0)
        return true;
    return cluster_ensure(a, &o, &ret->cluster, err);
}

bool
flow_target(Arena *a, const Config *c, const char *self_exe, FlowMake make, Target *ret, Err *err)
{
    *ret = (Target){0};
    const ConfigValue *v = config_target(c);
    if (!v)
        return embedded(a, c, self_exe, make, ret, err);
    ret->origin = v->origin;
    if (!url_parse(a, v->text, v->origin, &ret->url, err))
        return false;
    ret->shown = url_shown(a, &ret->url);
    if (make == FLOW_MAKES_CLUSTER && !flow_target_decided(c, ret->shown, err))
        return false;
    return start_own(a, c, self_exe, ret, err);
}

SessionOptions
flow_session(const FlowInput *in, const Target *t, const History *h, const char *verb,
             FlowAccess access)
{
    return (SessionOptions){.config = in->config,
                            .url = &t->url,
                            .url_origin = t->origin,
                            .history = h,
                            .verb = verb,
                            .tick = in->tick,
                            .tick_arg = in->tick_arg,
                            .writes = access == FLOW_WRITES,
                            .only_reads = access == FLOW_READS || access == FLOW_PLANS,
                            .locks = access == FLOW_LOCKS || access == FLOW_PLANS};
}

DbOptions
flow_connection(const FlowInput *in, const DbUrl *url, const char *origin, const char *application)
{
    return (DbOptions){.url = url,
                       .url_origin = origin,
                       .application = application,
                       .trace = in->config->trace,
                       .secrets = &in->config->secrets,
                       .connect_ms = config_ms(in->config, CFG_CONNECT_TIMEOUT),
                       .operation_ms = config_ms(in->config, CFG_OPERATION_TIMEOUT),
                       .tick = in->tick,
                       .tick_arg = in->tick_arg};
}

void
flow_record(Session *s, const RunSink *sink, const RunRow *row)
{
    const Config *c = s->config;
    Err err;
    if (!(c->env_said || s->own[OWN_RUNS].exists) || !db_is_open(s->db))
        return;
    RunRow r = *row;
    r.environment = r.environment ? r.environment : c->env_name;
    r.log = sink->place ? sink->place(sink->arg) : NULL;
    if (!run_write_row(s, &r, &err))
        run_find(sink, FINDING_RUN_NOT_RECORDED, NULL, NULL,
                 "this run could not be written down in the database: %s", err.primary);
}
