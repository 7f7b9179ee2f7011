/* ldc_error.c - see ldc_error.h. */
#include "ldc_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_tables.h"
#include "ltdic.h"

enum {
    TEXT_SIZE = 2048
};

static _Thread_local int last_code;
static _Thread_local char last_text[TEXT_SIZE];

int(ldc_error)(int code, const char *format, ...)
{
    char detail[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    last_code = code;
    /* The cut-off of an overlong text is meant: it is for people. */
    if (detail[0] == '\0') {
        snprintf(last_text, sizeof last_text, "%s", ldc_error_text(code));
    } else {
        snprintf(last_text, sizeof last_text, "%.200s: %.1800s", ldc_error_text(code), detail);
    }
    return code;
}

L_INT L_DicomGetLastError(void)
{
    return last_code;
}

const L_TCHAR *L_DicomGetLastErrorText(void)
{
    return last_text;
}

char *ldc_strdup(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

char *ldc_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
    }
    va_end(args);
    return text;
}
