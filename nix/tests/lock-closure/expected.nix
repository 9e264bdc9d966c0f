{
  version = 4;
  reached = [
    "back 1.0.0"
    "middle 1.0.0"
    "top 0.1.0"
    "twice 2.0.0"
  ];
  missing = false;
}
