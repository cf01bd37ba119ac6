#include "chat_page.h"

static const unsigned char index_html[] = {
#embed "page/index.html"
};
static const unsigned char style_css[] = {
#embed "page/style.css"
};
static const unsigned char icon_svg[] = {
#embed "page/icon.svg"
};
static const unsigned char app_js[] = {
#embed "page/app.js"
};
static const unsigned char connection_js[] = {
#embed "page/connection.js"
};
static const unsigned char view_js[] = {
#embed "page/view.js"
};
static const unsigned char rooms_js[] = {
#embed "page/store/rooms.js"
};

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define JAVASCRIPT "text/javascript; charset=utf-8"
#define FILE_AT(path, type, bytes) {path, type, bytes, sizeof bytes}

static const struct chat_page_file files[] = {
  FILE_AT("/", HTML, index_html),
  FILE_AT("/style.css", CSS, style_css),
  FILE_AT("/icon.svg", "image/svg+xml", icon_svg),
  FILE_AT("/app.js", JAVASCRIPT, app_js),
  FILE_AT("/connection.js", JAVASCRIPT, connection_js),
  FILE_AT("/view.js", JAVASCRIPT, view_js),
  FILE_AT("/store/rooms.js", JAVASCRIPT, rooms_js),
};

size_t chat_page_file_count(void) { return sizeof files / sizeof files[0]; }

struct chat_page_file chat_page_file_at(size_t index) { return files[index]; }
