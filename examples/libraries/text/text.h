void text_answer(char *buffer, int size);
