enum AreasPlaceholder {}
