import { type ReactNode, useId } from "react";

interface Props {
  text: string;
  placeholder: string;
  onText: (text: string) => void;
  /** What stands before the text, and after it. */
  before?: ReactNode;
  children?: ReactNode;
}

/** A row of controls that narrow a list down: a text, and others beside it. They act at once; nothing is submitted. */
export function FilterForm({ text, placeholder, onText, before, children }: Props) {
  const id = useId();
  return (
    <form
      className="ln-toolbar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      {before}
      <label htmlFor={id}>Filter</label>
      <input
        id={id}
        type="search"
        placeholder={placeholder}
        value={text}
        onChange={(event) => {
          onText(event.target.value);
        }}
      />
      {children}
    </form>
  );
}
