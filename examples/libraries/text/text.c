#include "text.h"

#include <base.h>
#include <stdio.h>

void text_answer(char *buffer, int size) {
    snprintf(buffer, size, "the answer is %d", base_answer());
}
