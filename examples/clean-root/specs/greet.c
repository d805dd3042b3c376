#include <stdio.h>

int main(void)
{
    puts("hello from a clean root");
    return 0;
}
