int vision_placeholder(void);
