// The console of the admin plane, embedded when this target is built. The files themselves are in ../console.
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>

// One file of the console. Everything it points to lives as long as the process.
struct console_file {
  const char *name;  // below /console/; empty for the page itself, at /
  const char *type;  // the value of Content-Type
  const unsigned char *bytes;
  size_t count;
};

size_t console_file_count(void);

// The file at `index`, which is below the count.
struct console_file console_file_at(size_t index);

#endif
