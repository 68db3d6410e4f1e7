/* aramid doctor. */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "report/doctor.h"

static unsigned
areas(const CmdCall *call)
{
    const char *only = cli_text(call, "only");
    for (int i = 0; only && i < DOCTOR_AREA_COUNT; i++)
        if (strcmp(only, finding_area_name((FindingArea)i)) == 0)
            return 1u << i;
    return 0;
}

static bool
write_bundle(CmdCall *call, const FlowInput *in, const DoctorResult *r, Bundle *ret, Err *err)
{
    Arena *a = call->arena;
    const char *path = cli_arg(call, 0);
    ret->path = path ? path : str_fmt(a, "aramid-doctor-%s.tar", clock_stamp(a, clock_wall_us()));
    if (fs_exists(ret->path)) {
        err_set(err, ERR_IO, "\"%s\" is there already", ret->path);
        return err_hint(err, "name another file");
    }
    StatusResult status;
    Err status_err;
    /* Where doctor reached nobody, another try would only wait longer. */
    bool has_status = r->server ? flow_status(a, in, &status, &status_err)
                                : err_set(&status_err, ERR_UNREACHABLE, "no database was reached");
    report_bundle(a,
                  &(BundleInput){.doctor = r,
                                 .status = has_status ? &status : NULL,
                                 .status_err = &status_err,
                                 .secrets = &call->secrets},
                  ret);
    return fs_write(ret->path, buf_str(&ret->tar), 0600, err);
}

int
cmd_doctor(CmdCall *call)
{
    os_signals_catch();
    Arena *a = call->arena;
    Config config;
    ConfigRequest request;
    ConfigProblems problems = {0};
    Err err;
    if (cli_arg(call, 0) && !cli_flag(call, "bundle")) {
        err_set(&err, ERR_USAGE, "FILE is for --bundle");
        return cli_fail(call, &err);
    }
    if (!cli_load_config_to_look(call, &request, &problems, &config, &err))
        return cli_fail(call, &err);
    FlowInput base = {.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick};
    DoctorResult r;
    Bundle bundle = {0};
    bool wants_bundle = cli_flag(call, "bundle");
    flow_doctor(a, &(DoctorInput){base, &request, &problems, areas(call)}, &r);
    if (wants_bundle && !write_bundle(call, &base, &r, &bundle, &err))
        return cli_fail(call, &err);
    Buf b;
    JsonWriter w;
    buf_init(&b, a);
    jw_init(&w, a, true);
    if (cli_flag(call, "json"))
        report_doctor_json(&w, &r, wants_bundle ? &bundle : NULL);
    else {
        report_doctor_text(&b, &call->term_out, &r, cli_flag(call, "quiet"));
        if (wants_bundle)
            report_bundle_text(&b, &call->term_out, &bundle);
    }
    cli_print(call, cli_flag(call, "json") ? &w.out : &b);
    return os_signal_pending() ? 128 + os_signal_pending() : report_doctor_exit(&r);
}
