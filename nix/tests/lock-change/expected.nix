{
  outside = [
    false
    false
    false
    false
  ];
  inside = [
    true
    true
    true
    true
  ];
}
