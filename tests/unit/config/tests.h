/* The tests of src/config: one list for one program. */
#pragma once

#include "base/fs.h"
#include "config/config_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* clang-format off */
#define CONFIG_TESTS(T) \
    T(url_good) T(url_bad) T(url_positions) \
    T(url_params) T(url_tls) T(url_shown_safely) \
    T(url_redacts) T(url_redact_secrets) T(url_redact_any_password) \
    T(dotenv_values) T(dotenv_errors) T(dotenv_expands) \
    T(dotenv_bounded) T(yaml_good) T(yaml_bad) \
    T(values_checked) T(package_json) T(dbmate_flags) T(prisma_config_shapes) \
    T(prisma_config_values) T(prisma_config_computed) T(prisma_config_bounded) \
    T(prisma_schema) T(load_empty) T(load_findings) T(load_precedence) \
    T(load_env_order) T(load_environment_names) T(load_profiles) \
    T(load_named_environment) T(load_direct_url) T(load_prisma_files) \
    T(load_schema_places) T(load_from_parts) T(load_errors) \
    T(load_empty_url) T(load_yaml_url) T(load_yaml_password) T(load_secrets_stay) T(load_twins) \
    T(load_to_look) T(load_named_url) T(load_unread_url) T(load_url_elsewhere)
/* clang-format on */

#define DECLARE(name) void name(void **state);
CONFIG_TESTS(DECLARE)
#undef DECLARE
