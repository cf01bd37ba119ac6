// The chat worker's page, embedded when this target is built. The files themselves are in ../page.
#ifndef CHAT_PAGE_H
#define CHAT_PAGE_H

#include <stddef.h>

// One file of the page. Everything it points to lives as long as the process.
struct chat_page_file {
  const char *path;  // as in the URL, beginning with a slash
  const char *type;  // the value of Content-Type
  const unsigned char *bytes;
  size_t count;
};

size_t chat_page_file_count(void);

// The file at `index`, which is below the count.
struct chat_page_file chat_page_file_at(size_t index);

#endif
