#include "console.h"

static const unsigned char index_html[] = {
#embed "console/index.html"
};
static const unsigned char style_css[] = {
#embed "console/style.css"
};
static const unsigned char icon_svg[] = {
#embed "console/icon.svg"
};
static const unsigned char actions_js[] = {
#embed "console/actions.js"
};
static const unsigned char api_js[] = {
#embed "console/api.js"
};
static const unsigned char configuration_js[] = {
#embed "console/configuration.js"
};
static const unsigned char connection_columns_js[] = {
#embed "console/connection_columns.js"
};
static const unsigned char connections_js[] = {
#embed "console/connections.js"
};
static const unsigned char details_js[] = {
#embed "console/details.js"
};
static const unsigned char dialogs_js[] = {
#embed "console/dialogs.js"
};
static const unsigned char dom_js[] = {
#embed "console/dom.js"
};
static const unsigned char drain_js[] = {
#embed "console/drain.js"
};
static const unsigned char feed_js[] = {
#embed "console/feed.js"
};
static const unsigned char format_js[] = {
#embed "console/format.js"
};
static const unsigned char freshness_js[] = {
#embed "console/freshness.js"
};
static const unsigned char history_js[] = {
#embed "console/history.js"
};
static const unsigned char jobs_js[] = {
#embed "console/jobs.js"
};
static const unsigned char main_js[] = {
#embed "console/main.js"
};
static const unsigned char notices_js[] = {
#embed "console/notices.js"
};
static const unsigned char overview_js[] = {
#embed "console/overview.js"
};
static const unsigned char poll_js[] = {
#embed "console/poll.js"
};
static const unsigned char roles_js[] = {
#embed "console/roles.js"
};
static const unsigned char router_js[] = {
#embed "console/router.js"
};
static const unsigned char rules_js[] = {
#embed "console/rules.js"
};
static const unsigned char sections_js[] = {
#embed "console/sections.js"
};
static const unsigned char session_js[] = {
#embed "console/session.js"
};
static const unsigned char sparkline_js[] = {
#embed "console/sparkline.js"
};
static const unsigned char sse_js[] = {
#embed "console/sse.js"
};
static const unsigned char table_js[] = {
#embed "console/table.js"
};
static const unsigned char theme_js[] = {
#embed "console/theme.js"
};
static const unsigned char tiles_js[] = {
#embed "console/tiles.js"
};
static const unsigned char workers_js[] = {
#embed "console/workers.js"
};

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define FILE_NAMED(name, type, bytes) {name, type, bytes, sizeof bytes}

static const struct console_file files[] = {
  FILE_NAMED("", HTML, index_html),
  FILE_NAMED("style.css", CSS, style_css),
  FILE_NAMED("icon.svg", "image/svg+xml", icon_svg),
  FILE_NAMED("actions.js", JAVASCRIPT, actions_js),
  FILE_NAMED("api.js", JAVASCRIPT, api_js),
  FILE_NAMED("configuration.js", JAVASCRIPT, configuration_js),
  FILE_NAMED("connection_columns.js", JAVASCRIPT, connection_columns_js),
  FILE_NAMED("connections.js", JAVASCRIPT, connections_js),
  FILE_NAMED("details.js", JAVASCRIPT, details_js),
  FILE_NAMED("dialogs.js", JAVASCRIPT, dialogs_js),
  FILE_NAMED("dom.js", JAVASCRIPT, dom_js),
  FILE_NAMED("drain.js", JAVASCRIPT, drain_js),
  FILE_NAMED("feed.js", JAVASCRIPT, feed_js),
  FILE_NAMED("format.js", JAVASCRIPT, format_js),
  FILE_NAMED("freshness.js", JAVASCRIPT, freshness_js),
  FILE_NAMED("history.js", JAVASCRIPT, history_js),
  FILE_NAMED("jobs.js", JAVASCRIPT, jobs_js),
  FILE_NAMED("main.js", JAVASCRIPT, main_js),
  FILE_NAMED("notices.js", JAVASCRIPT, notices_js),
  FILE_NAMED("overview.js", JAVASCRIPT, overview_js),
  FILE_NAMED("poll.js", JAVASCRIPT, poll_js),
  FILE_NAMED("roles.js", JAVASCRIPT, roles_js),
  FILE_NAMED("router.js", JAVASCRIPT, router_js),
  FILE_NAMED("rules.js", JAVASCRIPT, rules_js),
  FILE_NAMED("sections.js", JAVASCRIPT, sections_js),
  FILE_NAMED("session.js", JAVASCRIPT, session_js),
  FILE_NAMED("sparkline.js", JAVASCRIPT, sparkline_js),
  FILE_NAMED("sse.js", JAVASCRIPT, sse_js),
  FILE_NAMED("table.js", JAVASCRIPT, table_js),
  FILE_NAMED("theme.js", JAVASCRIPT, theme_js),
  FILE_NAMED("tiles.js", JAVASCRIPT, tiles_js),
  FILE_NAMED("workers.js", JAVASCRIPT, workers_js),
};

size_t console_file_count(void) { return sizeof files / sizeof files[0]; }

struct console_file console_file_at(size_t index) { return files[index]; }
