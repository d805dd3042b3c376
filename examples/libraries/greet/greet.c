#include "greet.h"

#include <stdio.h>
#include <text.h>

void greet(void) {
    char buffer[64];
    text_answer(buffer, sizeof buffer);
    printf("hello, %s\n", buffer);
}
